"""What the process of a training does with an error that may pass."""

import pytest

from predictor.training.service.child import PAUSES_SECONDS, patient
from predictor.training.service.job import Job
from predictor.training.service.verdict import Attempted
from predictor.training.settings import TrainingSettings
from predictor.training.tell import Tell
from schemas.errors import RetryError, StopAndSayError, TickcastError

DONE = Attempted(champion="set-a", promote=True, reason="not worse")


class Tries:
    """A training that fails, as often as there are errors, and what it tells and waits meanwhile."""

    def __init__(self, *errors: TickcastError) -> None:
        self.errors = list(errors)
        self.count = 0
        self.told: list[str] = []
        self.paused: list[float] = []

    def __call__(self, settings: TrainingSettings, job: Job, tell: Tell) -> Attempted:
        self.count += 1
        if self.errors:
            raise self.errors.pop(0)
        return DONE

    def run(self) -> Attempted:
        settings = TrainingSettings(_env_file=None)
        return patient(self, settings, Job(), lambda _, doing: self.told.append(doing), self.paused.append)


def test_what_may_succeed_later_is_tried_again_and_says_so() -> None:
    tries = Tries(RetryError("the broker is away"))
    assert tries.run() == DONE
    assert (tries.count, tries.paused) == (2, [1.0])
    assert tries.told == ["again in 1 s: the broker is away"]


def test_it_is_tried_a_bounded_number_of_times_and_then_said() -> None:
    tries = Tries(*(RetryError("the broker is away") for _ in range(100)))
    with pytest.raises(RetryError, match="the broker is away; it was tried 4 times"):
        tries.run()
    assert tries.paused == list(PAUSES_SECONDS)


def test_what_cannot_be_done_is_said_at_once() -> None:
    tries = Tries(StopAndSayError("there is no such file"))
    with pytest.raises(StopAndSayError):
        tries.run()
    assert tries.count == 1
