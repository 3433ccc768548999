"""What a worker answers the others."""

from collections.abc import Callable
from http import HTTPStatus

from gateway.parts import Parts
from gateway.problems import ProblemError
from gateway.workers.team import FORGOTTEN, METRICS


def answers_of(parts: Parts) -> Callable[[str], bytes]:
    """Give what answers their questions."""

    def answer(question: str) -> bytes:
        if question == METRICS:
            return parts.instruments.text()
        try:
            return parts.batches.body_of(question)
        except ProblemError as error:
            return FORGOTTEN if error.status is HTTPStatus.GONE else b""

    return answer
