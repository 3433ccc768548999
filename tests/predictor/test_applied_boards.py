"""What boards and the manifest's newer fields make of a prediction, beside plain Python."""

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.artifacts import ModelSet
from predictor.predict import predict
from predictor.scoring_boards import ScoringBoards
from schemas.events import Direction, Features, HorizonPrediction, Prediction, Signal
from schemas.identity import prediction_id
from tests.predictor.boards import boards, weights_board, widths_board
from tests.predictor.feature_events import DAY_NS, before_any_bar, final, provisional_after, warming_up
from tests.predictor.forecasters import HORIZONS, Momentum, NotFinite, Raising, a_set

FOREST, LSTM, SHOWN = Momentum("forest", 0.5), Momentum("lstm", 0.2), Momentum("naive", -9.0)
TRIO = a_set([FOREST, LSTM, SHOWN], [0.4, 0.6, 0.0])
SEEDS = st.integers(0, 10_000)


def only(
    event: Features, its: ScoringBoards | None = None, model_set: ModelSet | None = TRIO, **more: Any
) -> Prediction:
    (prediction,) = predict([event], model_set, HORIZONS, 9, its, **more).predictions
    return prediction


def weights_of(prediction: Prediction) -> dict[str, list[float]]:
    return {model.name: [each.weight for each in model.horizons] for model in prediction.models}


def half_width(horizon: HorizonPrediction, level: int) -> float:
    interval = horizon.interval_95 if level == 95 else horizon.interval_99
    assert interval is not None
    return math.log(interval.high / interval.low) / 2


def events_of(seed: int) -> list[Features]:
    closed = final("AAPL", seed=seed)
    moved = provisional_after(closed, price=closed.current_price * 1.01)
    return [closed, moved, final("IBM", seed=seed), warming_up(final("FB", seed=seed), returns=12), before_any_bar()]


# Without boards and without the newer fields


@given(SEEDS)
def test_without_boards_and_newer_fields_the_numbers_are_those_of_the_first_rules(seed: int) -> None:
    event = final(seed=seed)
    assert event.volatility is not None
    first = event.model_inputs[0]
    prediction = only(event)
    assert prediction.id == f"{event.id}/set-a/prior/holdout/forest+lstm+naive"
    for ours in prediction.horizons:
        unit = event.volatility * math.sqrt(ours.horizon)
        log_return = (0.4 * 0.5 + 0.6 * 0.2) * first * unit
        sure = min(1 / (1 + math.exp(-abs(factor * first))) for factor in (0.5, 0.2))
        assert ours.log_return == pytest.approx(log_return, rel=1e-6)
        assert ours.percent == pytest.approx(100 * math.expm1(log_return), rel=1e-6)
        assert ours.price_target == pytest.approx(event.current_price * math.exp(log_return), rel=1e-7)
        assert ours.confidence == pytest.approx(sure, abs=1e-6)
        assert ours.direction is (Direction.BULLISH if first > 0 else Direction.BEARISH)
        assert half_width(ours, 95) == pytest.approx(2 * unit, rel=1e-9)
        assert half_width(ours, 99) == pytest.approx(3 * unit, rel=1e-9)
        assert (ours.loss_95_percent, ours.usual_direction) == (None, None)


@given(SEEDS)
def test_boards_that_know_something_later_and_boards_of_other_tickers_change_nothing(seed: int) -> None:
    events = events_of(seed)
    newest = max(event.as_of_ns for event in events)
    later = boards(
        weights_board(newest + 1, {"forest": 1.0}),
        widths_board("AAPL", newest + 1, (5.0, 5.0)),
        widths_board("MSFT", 0, (5.0, 5.0)),
    )
    plain = predict(events, TRIO, HORIZONS, 9).predictions
    assert predict(events, TRIO, HORIZONS, 9, boards()).predictions == plain
    assert predict(events, TRIO, HORIZONS, 9, later).predictions == plain


# Weights


def test_weights_of_the_board_make_the_forecast_and_are_said_with_the_prior_ones() -> None:
    event = final()
    shares = ({"forest": 0.9, "lstm": 0.1}, {"forest": 0.25, "lstm": 0.75}, {"forest": 0.0, "lstm": 1.0})
    prediction = only(event, boards(weights_board(event.as_of_ns, *shares)))
    forest, lstm, naive = prediction.models
    for place, ours in enumerate(prediction.horizons):
        mixed = sum(shares[place][model.name] * model.horizons[place].log_return for model in (forest, lstm))
        assert ours.log_return == pytest.approx(mixed, rel=1e-12)
    assert weights_of(prediction) == {
        "forest": pytest.approx([0.9, 0.25, 0.0]),
        "lstm": pytest.approx([0.1, 0.75, 1.0]),
        "naive": [0.0] * 3,
    }
    assert [model.horizons[0].prior_weight for model in prediction.models] == [0.4, 0.6, 0.0]
    assert prediction.horizons[2].confidence == lstm.horizons[2].confidence, "who has no weight is not asked"
    assert prediction.horizons[0].confidence == min(forest.horizons[0].confidence, lstm.horizons[0].confidence)
    assert naive.horizons[0].log_return != 0


@given(st.lists(st.integers(-3, 12), max_size=8), st.lists(st.integers(-3, 12), max_size=8))
def test_each_row_of_a_batch_uses_the_newest_board_up_to_its_own_time(
    weighed: Sequence[int], widened: Sequence[int]
) -> None:
    events = [final(ticker, day=day) for day in range(10) for ticker in ("AAPL", "IBM")]
    first_ns = events[0].as_of_ns
    its = boards(
        *(weights_board(first_ns + day * DAY_NS, {"forest": 0.5, "lstm": 0.5}) for day in weighed),
        *(widths_board("IBM", first_ns + day * DAY_NS, (2.0, 2.0)) for day in widened),
    )
    for prediction in predict(events, TRIO, HORIZONS, 9, its).predictions:
        for version, days in (
            (prediction.weights_version, weighed),
            (prediction.intervals_version, widened if prediction.ticker == "IBM" else ()),
        ):
            known = [first_ns + day * DAY_NS for day in days if first_ns + day * DAY_NS <= prediction.as_of_ns]
            assert version.rpartition("-")[2] == (str(max(known)) if known else version)


def test_a_provisional_prediction_knows_what_was_known_at_its_tick() -> None:
    closed = final()
    moved = provisional_after(closed, price=closed.current_price)
    its = boards(weights_board(moved.as_of_ns, {"forest": 1.0}))
    assert only(closed, its).weights_version == "prior"
    assert only(moved, its).weights_version == f"weights-{moved.as_of_ns}"


def test_a_member_that_fails_leaves_its_weight_to_the_others() -> None:
    event = final()
    its = boards(weights_board(0, {"forest": 0.2, "lstm": 0.2, "xgboost": 0.6}))
    broken = a_set([FOREST, LSTM, Raising("xgboost", 1.0)], [0.3, 0.3, 0.4])
    prediction = only(event, its, broken)
    assert weights_of(prediction) == {"forest": pytest.approx([0.5] * 3), "lstm": pytest.approx([0.5] * 3)}
    assert prediction.degraded == "without xgboost"


def test_whether_a_member_fails_for_one_row_or_for_all_that_row_is_the_same() -> None:
    its = boards(weights_board(0, {"forest": 0.1, "xgboost": 0.9}))
    event = next(event for seed in range(50) if (event := final(seed=seed)).model_inputs[0] < 0)
    partly = a_set([FOREST, LSTM, NotFinite("xgboost", 1.0)], [0.3, 0.3, 0.4])
    whole = a_set([FOREST, LSTM, Raising("xgboost", 1.0)], [0.3, 0.3, 0.4])
    assert only(event, its, partly) == only(event, its, whole)


def test_where_all_that_answer_have_no_weight_on_the_board_their_priors_count() -> None:
    its = boards(weights_board(0, {"forest": 1.0, "lstm": 0.0}, {"forest": 0.5, "lstm": 0.5}, {}))
    prediction = only(final(), its, a_set([Raising("forest", 1.0), LSTM], [0.4, 0.6]))
    assert weights_of(prediction) == {"lstm": [1.0, 1.0, 1.0]}
    assert prediction.degraded == "without forest"


def test_a_member_without_prior_weight_is_never_missed() -> None:
    for shown in (Raising("naive", 1.0), NotFinite("naive", 1.0)):
        model_set = a_set([FOREST, LSTM, shown], [0.4, 0.6, 0.0])
        for seed in range(4):
            prediction = only(final(seed=seed), None, model_set)
            assert prediction.degraded is None
            assert prediction.horizons == only(final(seed=seed)).horizons


# The slope


@given(SEEDS, st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_the_forecast_is_multiplied_by_the_slope_and_the_members_own_are_not(seed: int, slopes: list[float]) -> None:
    event = final(seed=seed)
    shrunk = only(event, None, a_set([FOREST, LSTM, SHOWN], [0.4, 0.6, 0.0], slopes=slopes))
    plain = only(event)
    for slope, ours, its in zip(slopes, shrunk.horizons, plain.horizons, strict=True):
        assert ours.log_return == pytest.approx(slope * its.log_return, rel=1e-12, abs=1e-300)
        if ours.log_return:
            assert (ours.direction, ours.confidence) == (its.direction, its.confidence)
        else:
            assert (ours.direction, ours.confidence, ours.signal) == (Direction.NEUTRAL, 0.5, Signal.HOLD)
    assert [[each.log_return for each in model.horizons] for model in shrunk.models] == [
        [each.log_return for each in model.horizons] for model in plain.models
    ]


def test_a_price_that_moved_is_taken_off_the_forecast_after_the_slope() -> None:
    closed = final()
    moved = provisional_after(closed, price=closed.current_price * math.exp(0.03))
    halved = a_set([FOREST, LSTM], [0.4, 0.6], slopes=[0.5] * 3)
    for before, now in zip(only(closed).horizons, only(moved, None, halved).horizons, strict=True):
        assert now.log_return == pytest.approx(0.5 * before.log_return - 0.03, abs=1e-12)


# Intervals


@given(SEEDS, st.lists(st.tuples(st.floats(0.05, 9), st.floats(0.05, 9)), min_size=3, max_size=3))
def test_half_widths_are_the_sets_quantiles_times_the_tickers_widths(
    seed: int, widths: list[tuple[float, float]]
) -> None:
    event = final("IBM", seed=seed)
    assert event.volatility is not None
    prediction = only(event, boards(widths_board("IBM", 0, *widths)))
    assert prediction.intervals_version == "IBM-0"
    for (narrow, wide), ours in zip(widths, prediction.horizons, strict=True):
        unit = event.volatility * math.sqrt(ours.horizon)
        assert half_width(ours, 95) == pytest.approx(2.0 * unit * narrow, rel=1e-6)
        assert half_width(ours, 99) == pytest.approx(unit * max(2.0 * narrow, 3.0 * wide), rel=1e-6)


def test_widths_carry_over_to_another_set() -> None:
    its = boards(widths_board("AAPL", 0, (2.0, 2.0), model_set="set-before"))
    prediction = only(final(), its, a_set([FOREST, LSTM], [0.4, 0.6], quantiles=(1.0, 1.5)))
    plain = only(final())
    for ours, before in zip(prediction.horizons, plain.horizons, strict=True):
        assert half_width(ours, 95) == pytest.approx(half_width(before, 95), rel=1e-9)


def test_no_width_makes_an_interval_without_end() -> None:
    for horizon in only(final(), boards(widths_board("AAPL", 0, (1e6, 1e6)))).horizons:
        assert half_width(horizon, 95) == pytest.approx(20.0)
        assert half_width(horizon, 99) == pytest.approx(20.0)


def test_the_statistical_forecaster_knows_no_boards() -> None:
    its = boards(weights_board(0, {"statistical": 1.0}), widths_board("FB", 0, (5.0, 5.0)))
    event = warming_up(final("FB"), returns=12)
    assert only(event, its) == only(event)


# What the prediction is called


def test_another_board_makes_another_prediction() -> None:
    event = final()
    made = [
        only(event),
        only(event, boards(weights_board(0, {"forest": 1.0}))),
        only(event, boards(weights_board(1, {"forest": 1.0}))),
        only(event, boards(widths_board("AAPL", 0, (2.0, 2.0)))),
        only(event, boards(widths_board("AAPL", 1, (2.0, 2.0)))),
        only(event, None, signal_share=0.1),
        only(event, None, signal_share=0.2),
    ]
    assert len({prediction.id for prediction in made}) == len(made)
    names = ("forest", "lstm", "naive")
    assert made[2].id == prediction_id(event.id, "set-a", "weights-1", "holdout", names)
    assert made[4].id == prediction_id(event.id, "set-a", "prior", "AAPL-1", names)
    assert made[5].id == prediction_id(event.id, "set-a", "prior", "holdout", names, 0.1)


@given(SEEDS)
def test_the_same_event_with_the_same_boards_has_the_same_id_and_content(seed: int) -> None:
    its = boards(weights_board(0, {"forest": 0.3, "lstm": 0.7}), widths_board("IBM", 0, (1.5, 1.2)))
    events = events_of(seed)
    whole = predict(events, TRIO, HORIZONS, 9, its).predictions
    assert [only(event, its) for event in events] == whole
