"""Two logs that come at their own pace are merged: nothing is too late, and nothing waits without need."""

import random

import hypothesis.strategies as some
from hypothesis import given

from feature_stream.ledger import LEAST_CLOSES
from feature_stream.settle import PassedOver
from feature_stream.turns import PATIENCE_SECONDS, Side, Turns, Waiting
from schemas.events import Bar, Prediction
from tests.feature_stream.settling import Settling, assert_as_expected, bar, merged, prediction, put, reference


def _long_logs(rng: random.Random, count: int) -> tuple[list[Bar], list[Prediction]]:
    """Give the logs of two tickers, and of one that is never predicted; the end of each is said again now and then."""
    bars: list[Bar] = []
    predictions: list[Prediction] = []
    for index in range(1, count + 1):
        for place, ticker in enumerate("ABX"):
            bars.append(bar(index, ticker, source_offset=index * 10 + place))
            if ticker != "X":
                predictions.append(prediction(index, ticker, horizons=[1, 21], source_offset=index * 10 + place))
        if rng.random() < 0.05:
            bars += bars[-rng.randrange(1, 30) :]
            predictions += predictions[-rng.randrange(1, 30) :]
    return bars, predictions


@given(seed=some.integers(0, 2**32), count=some.sampled_from([20, 100, 300]))
def test_logs_that_come_at_any_pace_give_what_both_call_for(seed: int, count: int) -> None:
    rng = random.Random(seed)
    bars, predictions = _long_logs(rng, count)
    settling, turns = Settling(), Turns()
    sides: dict[Side, list[tuple[int, Bar | Prediction]]] = {
        Side.BARS: list(enumerate(bars)),
        Side.PREDICTIONS: list(enumerate(predictions)),
    }
    while any(sides.values()):
        side = rng.choice([side for side, left in sides.items() if left])
        for offset, event in sides[side][: rng.choice([1, 10, 200])]:
            put(turns, offset, event)
            sides[side].pop(0)
        merged(settling, turns)
    assert not any(turns.queues.values())
    assert_as_expected(settling.said, reference(bars, predictions))
    assert not settling.passed_over[PassedOver.AHEAD]


def test_bars_wait_for_a_predictor_that_is_behind_however_long_it_takes() -> None:
    settling, turns = Settling(), Turns()
    for offset in range(500):
        put(turns, offset, bar(offset + 1))
    merged(settling, turns)
    merged(settling, turns, now=1e9)
    assert settling.record.bars_offset == LEAST_CLOSES - 1
    put(turns, 0, prediction(1))
    merged(settling, turns)
    assert settling.record.bars_offset == LEAST_CLOSES
    assert len(settling.said) == 3


def test_bars_from_before_the_first_prediction_that_there_is_go_by() -> None:
    settling, turns = Settling(), Turns()
    for offset in range(500):
        put(turns, offset, bar(offset + 1))
    put(turns, 0, prediction(400))
    merged(settling, turns)
    assert settling.record.bars_offset == 400 + LEAST_CLOSES - 1
    assert {said["bar_index"] for said in settling.said.values()} == {400}


def test_a_ticker_that_nobody_predicts_holds_up_no_other() -> None:
    settling, turns = Settling(), Turns()
    for index in range(200):
        put(turns, 2 * index, bar(index + 1, "X", source_offset=2 * index))
        put(turns, 2 * index + 1, bar(index + 1, "A", source_offset=2 * index + 1))
        put(turns, index, prediction(index + 1, "A", source_offset=2 * index + 1))
        merged(settling, turns)
    assert settling.record.bars_offset == 399
    assert settling.passed_over == {}


def test_a_prediction_waits_for_its_bar_and_not_for_ever() -> None:
    settling, turns = Settling(), Turns()
    put(turns, 0, prediction(1, horizons=[1]))
    for now in (0.0, PATIENCE_SECONDS):
        merged(settling, turns, now=now)
        assert settling.record.predictions_offset == -1
    merged(settling, turns, now=PATIENCE_SECONDS + 1)
    assert settling.record.predictions_offset == 0


def test_patience_begins_anew_for_each_that_waits() -> None:
    settling, turns = Settling(), Turns()
    put(turns, 0, prediction(1, horizons=[1]))
    merged(settling, turns, now=0.0)
    put(turns, 0, bar(1))
    merged(settling, turns, now=1.0)
    assert settling.record.predictions_offset == 0
    put(turns, 1, prediction(2, horizons=[1]))
    merged(settling, turns, now=2 * PATIENCE_SECONDS)
    assert settling.record.predictions_offset == 0


def test_what_cannot_be_understood_has_its_turn_at_once() -> None:
    settling = Settling()
    for side in Side:
        turns = Turns()
        put(turns, 0, bar(1))
        turns.queues[side].appendleft(Waiting(7, None, "garbage"))
        assert turns.next_side(settling.record, settling.ledgers, settling.rules, 0.0) is side
