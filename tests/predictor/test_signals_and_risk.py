"""Signals and risk beside the intervals, by plain Python."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from predictor.artifacts import ModelSet
from predictor.manifest import IntervalQuantiles
from schemas.events import Direction, Signal
from tests.predictor.boards import boards, widths_board
from tests.predictor.feature_events import before_any_bar, final, warming_up
from tests.predictor.forecasters import HORIZONS, Momentum, Raising, a_set
from tests.predictor.test_applied_boards import FOREST, LSTM, SEEDS, TRIO, events_of, only


def test_volatility_is_that_of_the_horizon_and_unknown_where_the_bars_is() -> None:
    event = final()
    assert event.volatility is not None
    for model_set in (TRIO, None):
        expected = [event.volatility * math.sqrt(horizon) for horizon in HORIZONS]
        assert [each.volatility for each in only(event, None, model_set).horizons] == pytest.approx(expected)
    assert [each.volatility for each in only(before_any_bar()).horizons] == [None] * 3


def with_quantile_90(quantile: float | None) -> ModelSet:
    quantiles = [
        IntervalQuantiles(horizon=horizon, quantile_95=2.0, quantile_99=3.0, quantile_90=quantile)
        for horizon in HORIZONS
    ]
    return a_set([FOREST, LSTM], [0.4, 0.6], interval_quantiles=quantiles)


@given(SEEDS, st.floats(0.1, 4))
def test_the_loss_is_that_at_the_lower_end_of_the_interval_at_90_percent(seed: int, width: float) -> None:
    event = final("IBM", seed=seed)
    assert event.volatility is not None
    its = boards(widths_board("IBM", 0, (width, 1.0)))
    for ours in only(event, its, with_quantile_90(1.6)).horizons:
        low = ours.log_return - 1.6 * width * event.volatility * math.sqrt(ours.horizon)
        assert ours.loss_95_percent == pytest.approx(max(0.0, 100 * (1 - math.exp(low))), abs=1e-9)
        assert ours.interval_95 is not None
        assert ours.loss_95_percent is not None
        assert ours.loss_95_percent <= max(0.0, 100 * (1 - ours.interval_95.low / event.current_price)) + 1e-9


def test_a_forecast_above_all_that_may_be_lost_loses_nothing() -> None:
    event = next(event for seed in range(50) if (event := final(seed=seed)).model_inputs[0] > 0.5)
    prediction = only(event, boards(widths_board("AAPL", 0, (0.05, 0.05))), with_quantile_90(0.1))
    assert [horizon.loss_95_percent for horizon in prediction.horizons] == [0.0] * 3


@pytest.mark.parametrize("quantile", [None, 0.0, -1.0])
def test_without_a_quantile_no_loss_is_claimed(quantile: float | None) -> None:
    assert [each.loss_95_percent for each in only(final(), None, with_quantile_90(quantile)).horizons] == [None] * 3


def test_the_statistical_forecasters_loss_is_that_of_a_normal_error() -> None:
    prediction = only(final(), None, None)
    for ours, its in zip(prediction.horizons, prediction.models[0].horizons, strict=True):
        assert its.spread is not None
        low = ours.log_return - 1.6448536 * its.spread
        assert ours.loss_95_percent == pytest.approx(max(0.0, 100 * (1 - math.exp(low))), rel=1e-6)
    assert [each.loss_95_percent for each in only(before_any_bar()).horizons] == [None] * 3


@given(SEEDS, st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_a_return_beyond_the_share_of_volatility_is_a_signal(seed: int, share: float) -> None:
    for event in events_of(seed):
        for ours in only(event, None, TRIO, signal_share=share).horizons:
            if ours.volatility is None or ours.direction is Direction.NEUTRAL:
                assert ours.signal is Signal.HOLD
            elif ours.log_return > share * ours.volatility:
                assert ours.signal is Signal.BUY
            elif ours.log_return < -share * ours.volatility:
                assert ours.signal is Signal.SELL
            else:
                assert ours.signal is Signal.HOLD


@pytest.mark.parametrize(("factor", "signal"), [(0.49, Signal.HOLD), (0.51, Signal.BUY), (-0.51, Signal.SELL)])
def test_the_usual_share_is_half_of_the_volatility(factor: float, signal: Signal) -> None:
    event = final()
    alone = a_set([Momentum("forest", factor / float(event.model_inputs[0]))], [1.0])
    assert {each.signal for each in only(event, None, alone).horizons} == {signal}


def test_a_direction_no_likelier_right_than_wrong_is_no_signal() -> None:
    contrary = a_set([Momentum("forest", 9.0)], [1.0], slope=-1.0)
    assert {each.signal for each in only(final(), None, contrary).horizons} == {Signal.HOLD}


def test_a_ticker_that_stands_still_gives_no_signal() -> None:
    still = structs.replace(final("STILL"), volatility=0.0, returns=[0.0] * 40 + [1e-9] * 23)
    assert {each.signal for each in only(still).horizons} == {Signal.HOLD}


def test_the_usual_direction_is_the_manifests() -> None:
    usual = [Direction.BULLISH, Direction.BEARISH, Direction.BULLISH]
    knowing = a_set([FOREST, LSTM], [0.4, 0.6], usual_directions=usual)
    assert [each.usual_direction for each in only(final(), None, knowing).horizons] == usual
    failing = a_set([Raising("forest", 1.0)], [1.0], usual_directions=usual)
    assert [each.usual_direction for each in only(final(), None, failing).horizons] == usual
    event = warming_up(final(), returns=12)
    assert [each.usual_direction for each in only(event, None, knowing).horizons] == [None] * 3
