"""When a set is too old, and what follows."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.age import AgeRule, bars_between
from predictor.predict import answer
from predictor.question import Question
from schemas.events import Prediction
from schemas.times import Interval, interval_ns
from tests.predictor.feature_events import DAY_NS, MONDAY_NS, before_any_bar, final
from tests.predictor.forecasters import HORIZONS, Momentum, Raising, a_set

FOREST, LSTM = Momentum("forest", 0.5), Momentum("lstm", 0.2)
PAIR = a_set([FOREST, LSTM], [0.4, 0.6])
times = st.integers(0, 40_000 * DAY_NS)


def said(day: int, model_set: object = PAIR, **rule: Any) -> Prediction:
    question = Question([final(day=day)], HORIZONS, 9, ages=AgeRule("1d", **rule))
    return answer(question, model_set).predictions[0]  # type: ignore[arg-type]


@given(times, times)
def test_daily_bars_are_the_trading_days_that_end_in_between(start_ns: int, end_ns: int) -> None:
    first, end = (np.datetime64(datetime.fromtimestamp(time_ns // 10**9, UTC).date()) for time_ns in (start_ns, end_ns))
    assert bars_between(start_ns, end_ns, "1d") == max(0, np.busday_count(first, end))


@given(times, times, st.sampled_from(["1s", "1m", "5m", "1h"]))
def test_shorter_bars_are_counted_without_a_pause(start_ns: int, end_ns: int, interval: Interval) -> None:
    length_ns = interval_ns(interval)
    ends = (start_ns + length_ns) // length_ns * length_ns
    expected = 0 if end_ns < ends else 1 + (end_ns - ends) // length_ns
    assert bars_between(start_ns, end_ns, interval) == expected


def test_a_set_is_stale_from_the_first_bar_after_its_most() -> None:
    degraded = [said(day, most_bars=5).degraded for day in range(8)]
    assert degraded[:7] == [None] * 7, "the fifth trading day, and the weekend after it"
    assert degraded[7] == "stale: retrain_recommended"
    assert said(10_000).degraded is None, "0 bars: never"


def test_other_reasons_come_first() -> None:
    broken = a_set([FOREST, Raising("lstm", 1.0)], [0.4, 0.6])
    assert said(20, broken, most_bars=5).degraded == "without lstm; stale: retrain_recommended"


def test_a_stale_set_says_the_same_numbers_under_a_name_of_its_own() -> None:
    old, fresh = said(20, most_bars=5), said(20)
    assert (old.horizons, old.models) == (fresh.horizons, fresh.models)
    assert old.id == f"{fresh.id}/stale"
    assert said(20, most_bars=6) == old, "the same under every rule by which it is stale"


def test_where_stale_sets_are_refused_the_statistical_forecaster_answers() -> None:
    refused = said(20, most_bars=5, refuse=True)
    assert refused.degraded == "stale: refused, retrain_recommended"
    assert [model.name for model in refused.models] == ["statistical"]
    assert refused.model_set == "set-a"
    assert said(3, most_bars=5, refuse=True) == said(3)


def test_every_way_of_answering_the_same_event_has_an_id_of_its_own() -> None:
    broken = a_set([Raising("forest", 1.0), Raising("lstm", 1.0)], [0.4, 0.6])
    ways = [
        said(20),
        said(20, most_bars=5),
        said(20, most_bars=5, refuse=True),
        said(20, None),
        said(20, broken),
    ]
    assert len({way.id for way in ways}) == len({way.degraded for way in ways}) == len(ways)
    assert said(20, broken, most_bars=5) == said(20, broken), "who did not answer is not too old"


def test_in_one_batch_each_event_is_judged_by_its_own_time() -> None:
    events = [final(day=1), before_any_bar(), final(day=20), final("IBM", day=2)]
    for refuse, answered in ((False, "forest"), (True, "statistical")):
        question = Question(events, HORIZONS, 9, ages=AgeRule("1d", 5, refuse))
        predictions = answer(question, PAIR).predictions
        assert [each.degraded is None for each in predictions] == [True, False, False, True]
        assert predictions[2].models[0].name == answered
        assert [each.feature_id for each in predictions] == [event.id for event in events]


def test_members_are_not_asked_for_nothing() -> None:
    forest = Momentum("forest", 0.5)
    said(20, a_set([forest], [1.0]), most_bars=5, refuse=True)
    assert forest.batch_sizes == []


@pytest.mark.parametrize("day", [0, 2])
def test_a_prediction_as_of_training_is_in_the_sample_and_not_stale(day: int) -> None:
    prediction = said(day, a_set([FOREST], [1.0], train_end_ns=MONDAY_NS + 3 * DAY_NS), most_bars=1)
    assert (prediction.in_sample, prediction.degraded) == (True, None)
