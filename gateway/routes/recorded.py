"""What is asked of the recorded history, by way of the answers that are kept."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from gateway.asked import unknown_ticker
from gateway.parts import Parts
from gateway.scores import ALL
from gateway.shared.answers import Question

#: Before a body that is kept: whether anything was recorded.
_SOMETHING, _NOTHING = b"1", b"0"

Found = TypeVar("Found")


async def recorded(
    parts: Parts,
    ticker: str,
    question: Question,
    query: Callable[[Connection], Found],
    said: Callable[[Found], tuple[bytes, bool]],
) -> bytes:
    """Give the body of an answer.

    Args:
        said: Makes it of what the query found, and tells whether that was anything; in the archive's thread, for
            thousands of rows would hold up everybody.

    Raises:
        ProblemError: 404: nothing is recorded of a ticker that is none of the stream's. 503: the database does not
            answer.
    """

    def asked(connection: Connection) -> bytes:
        body, anything = said(query(connection))
        return (_SOMETHING if anything else _NOTHING) + body

    async def made() -> bytes:
        return await parts.archive.ask(asked)

    answer = await parts.answers.get(question, made)
    if answer.startswith(_NOTHING) and ticker != ALL and parts.latest.get(ticker) is None:
        raise unknown_ticker(parts, ticker)
    return answer[1:]
