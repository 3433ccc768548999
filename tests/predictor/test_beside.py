"""The challenger's turn: what it costs, and what becomes of it when it fails or is slow."""

import logging
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.beside import Beside
from predictor.budget import CALM_BATCHES, FIRST_REST, MOST_REST, Budget
from predictor.models.base import Batch, Forecast
from predictor.predict import answer
from predictor.question import Question
from schemas.broker import wait_until
from schemas.events import Prediction
from tests.predictor.feature_events import final
from tests.predictor.forecasters import HORIZONS, Momentum, a_set

CHAMPION = a_set([Momentum("forest", 0.5)], [1.0])


class Clock:
    """A clock that a forecaster moves on."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Slow(Momentum):
    """Takes as long as it is told."""

    clock = Clock()
    takes_seconds = 0.0

    def predict(self, batch: Batch) -> Forecast:
        self.clock.seconds += self.takes_seconds
        return super().predict(batch)


class Hanging(Momentum):
    """Waits until it is let go; counts its calls when they end, and tells how many have begun."""

    begun = 0

    def __init__(self, name: str, factor: float) -> None:
        super().__init__(name, factor)
        self.let_go = threading.Event()

    def predict(self, batch: Batch) -> Forecast:
        self.begun += 1
        self.let_go.wait(30)
        return super().predict(batch)


def asked(beside: Beside, challenger: object, day: int = 0, share: float = 0.0) -> Prediction:
    question = Question([final(day=day)], HORIZONS, 9)
    predicted = answer(question, CHAMPION)
    (prediction,) = beside.show(question, predicted, CHAMPION, challenger, share)  # type: ignore[arg-type]
    if prediction.shadow is None:
        assert [prediction] == predicted.predictions
    return prediction


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_one_call_of_each_model_and_the_same_arrays_for_both() -> None:
    forest = Momentum("forest", 0.9)
    question = Question([final(), final("IBM")], HORIZONS, 9)
    predicted = answer(question, CHAMPION)
    Beside(1e9).show(question, predicted, CHAMPION, a_set([forest], [1.0], name="set-b"), 0.0)
    assert forest.batch_sizes == [2]
    assert question.batch is question.batch


def test_one_that_overran_is_dropped_then_rests_and_comes_back_and_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, slow = Clock(), Slow("forest", 0.9)
    slow.clock, slow.takes_seconds = clock, 200
    challenger, beside = a_set([slow], [1.0], name="set-b"), Beside(50, clock)
    with caplog.at_level(logging.INFO):
        for day in range(40):
            assert asked(beside, challenger, day).shadow is None
            assert len(slow.batch_sizes) == sum(asked_on <= day for asked_on in (0, 2, 5, 10, 19, 36))
        assert warnings(caplog) == ["challenger set-b is left out for a while: it took more than 50000 ms"]
        slow.takes_seconds = 10
        days = 10 * CALM_BATCHES
        later = [asked(beside, challenger, day).shadow is not None for day in range(days)]
    assert sum(later) > days - MOST_REST
    assert [record.getMessage() for record in caplog.records][1:] == ["challenger set-b answers within its time again"]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_nobody_waits_for_one_that_is_late_and_it_is_not_asked_again_before_it_has_ended(
    share: float, caplog: pytest.LogCaptureFixture
) -> None:
    hanging = Hanging("forest", 0.9)
    challenger, beside = a_set([hanging], [1.0], name="set-b"), Beside(0.05)
    for day in range(10):
        assert asked(beside, challenger, day, share).shadow is None  # `asked` holds it to the other set's word
    assert (hanging.begun, hanging.batch_sizes) == (1, []), "it still works on the first batch"
    assert warnings(caplog) == ["challenger set-b is left out for a while: it took more than 50 ms"]
    hanging.let_go.set()
    beside.close()
    assert hanging.batch_sizes == [1]
    wait_until(lambda: asked(beside, challenger, 11, share).shadow is not None, seconds=60, what="its word")


def test_one_that_hangs_does_not_keep_the_next_challenger_away() -> None:
    hanging, beside = Hanging("forest", 0.9), Beside(0.05)
    assert asked(beside, a_set([hanging], [1.0], name="set-b")).shadow is None
    other = a_set([Momentum("forest", 0.1)], [1.0], name="set-c")
    wait_until(lambda: asked(beside, other).shadow is not None, seconds=60, what="the other's word")
    assert hanging.batch_sizes == []
    hanging.let_go.set()


def test_one_that_raises_beyond_its_members_is_dropped_alone_and_said_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    challenger = a_set([Momentum("forest", 0.9)], [1.0], name="set-b", slopes=[1.0, 1.0])  # not one a horizon
    beside = Beside(1e9)
    for day in range(30):
        assert asked(beside, challenger, day).shadow is None
    (said,) = warnings(caplog)
    assert said.startswith("challenger set-b is left out for a while: ValueError: ")


def test_another_challenger_begins_with_a_clean_sheet() -> None:
    clock, slow = Clock(), Slow("forest", 0.9)
    slow.clock, slow.takes_seconds = clock, 200
    beside = Beside(50, clock)
    for calls in (1, 1):
        assert asked(beside, a_set([slow], [1.0], name="set-b")).shadow is None
        assert len(slow.batch_sizes) == calls
    assert asked(beside, a_set([Momentum("forest", 0.1)], [1.0], name="set-c")).shadow is not None


@given(st.lists(st.floats(0, 0.1), min_size=1, max_size=400))
def test_rests_grow_with_every_overrun_and_never_beyond_the_most(times: list[float]) -> None:
    budget, rest, rests = Budget(0.05), 0, list[int]()
    for seconds in times:
        if not budget.takes_part():
            rest += 1
            continue
        if rest:
            rests.append(rest)
            rest = 0
        assert budget.took(seconds) == (seconds <= 0.05)
    assert all(FIRST_REST <= each <= MOST_REST for each in rests)


def test_a_budget_that_is_never_kept_takes_ever_less_time() -> None:
    budget = Budget(0.05)
    overruns = [batch for batch in range(20_000) if budget.takes_part() and not budget.took(1.0)]
    assert overruns[:5] == [0, 2, 5, 10, 19]
    assert overruns[-1] - overruns[-2] == 1 + MOST_REST


def test_a_moment_of_a_busy_machine_costs_one_batch() -> None:
    budget, left_out = Budget(0.05), 0
    for batch in range(1_000):
        if budget.takes_part():
            budget.took(0.2 if batch % 10 == 0 else 0.01)
        else:
            left_out += 1
    assert left_out == 100
    assert budget.resting, "it is not well"
