"""Forecasts from a caller's own prices: by statsmodels' ARIMA as oracle, and by whom where that is not possible."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from msgspec import structs
from statsmodels.tsa.arima.model import ARIMA

from feature_stream.offline import feature_rows
from predictor.batch import LONGEST_ID
from predictor.forecast_requests import cannot_be_answered, problem_of, row_of
from predictor.forecasting import NO_ARIMA, OTHER_INTERVAL, TOO_FEW_CLOSES, forecast
from predictor.models.arima import ArimaCoefficients
from predictor.predict import predict
from predictor.probabilities import logistic
from schemas.codec import encode
from schemas.events import Direction, Forecast, ForecastRequest, PriceBar
from schemas.features import RETURNS_COUNT
from schemas.times import from_rfc3339
from tests.predictor.feature_events import final
from tests.predictor.forecast_requests import (
    COEFFICIENTS,
    DAY_NS,
    SPREAD_SCALES,
    TUESDAY_NOON_NS,
    arima_set,
    bars_of,
    closes,
    request,
)
from tests.predictor.forecasters import Momentum, a_set

SET = arima_set()


def answer(asked: ForecastRequest, **options: Any) -> Forecast:
    return forecast(asked, options.pop("model_set", SET), "1d", 7, **options)


def statsmodels_says(prices: list[float]) -> float:
    """Give the log return of the next bar by the same coefficients, from the last 63 returns over the volatility."""
    returns = np.diff(np.log(prices))[-RETURNS_COUNT:]
    volatility = np.std(returns[-20:], ddof=1)
    model = ARIMA(returns / volatility, order=(2, 0, 1), trend="c", enforce_stationarity=False)
    parameters = [COEFFICIENTS.mean, *COEFFICIENTS.ar, *COEFFICIENTS.ma, 1.0]
    return float(model.filter(parameters).forecast(1)[0] * volatility)


@pytest.mark.parametrize("count", [21, 40, 64, 200, 10_000])
def test_it_is_what_statsmodels_says(count: int) -> None:
    prices = closes(count, seed=count)
    said = answer(request(prices))
    assert (said.error, said.degraded, said.model_set, said.arima_order) == (None, None, "set-arima", [2, 0, 1])
    [horizon] = said.horizons
    assert horizon.horizon == 1
    assert horizon.log_return == pytest.approx(statsmodels_says(prices), abs=1e-6)
    assert horizon.percent == pytest.approx(100 * math.expm1(horizon.log_return))
    assert horizon.price_target == pytest.approx(prices[-1] * math.exp(horizon.log_return))


def test_the_answer_says_what_it_can_be_settled_by() -> None:
    prices = closes(64)
    said = answer(request(prices, ticker="AAPL"))
    assert (said.ticker, said.interval, said.from_price) == ("AAPL", "1d", prices[-1])
    assert said.as_of_ns == TUESDAY_NOON_NS - DAY_NS // 2
    assert not said.in_sample
    [bar] = bars_of(prices)[-1:]
    given = answer(request(bars=bars_of(prices)))
    assert (given.as_of_ns, given.from_price) == (bar.start_ns + DAY_NS, bar.close)
    trained_on = structs.replace(SET.manifest, train_end_ns=given.as_of_ns)
    assert answer(request(bars=bars_of(prices)), model_set=replace(SET, manifest=trained_on)).in_sample
    assert answer(request(closes(5))).as_of_ns is None


def test_the_answer_says_all_that_a_prediction_says_of_a_horizon() -> None:
    prices = closes(64)
    [horizon] = answer(request(prices)).horizons
    volatility = float(np.std(np.diff(np.log(prices))[-20:], ddof=1))
    spread = SPREAD_SCALES[0] * volatility
    up = float(logistic(np.array(0.4 + horizon.log_return / spread)))
    assert horizon.volatility == pytest.approx(volatility)
    assert horizon.confidence == pytest.approx(up if horizon.log_return > 0 else 1 - up)
    assert horizon.interval_95 is not None
    assert horizon.interval_99 is not None
    for interval, normal in ((horizon.interval_95, 1.959964), (horizon.interval_99, 2.575829)):
        assert math.log(interval.high / horizon.price_target) == pytest.approx(normal * spread, rel=1e-6)
        assert math.log(horizon.price_target / interval.low) == pytest.approx(normal * spread, rel=1e-6)
    assert horizon.usual_direction is Direction.BULLISH
    assert horizon.signal is not None
    assert horizon.loss_95_percent is not None


def test_the_same_closes_give_what_the_member_of_a_prediction_gives() -> None:
    prices = closes(120)
    zeros = np.arange(120) * DAY_NS
    *_, row = feature_rows("1d", zeros, prices, prices, prices, prices, np.ones(120))
    event = final(returns=row.returns, volatility=row.volatility, current_price=prices[-1], last_close=prices[-1])
    [prediction] = predict([event], SET, (1, 5, 21), 7).predictions
    [arima] = [model for model in prediction.models if model.name == "arima"]
    said = answer(request(prices, ticker="AAPL"))
    assert said.ticker == "AAPL"
    assert said.models[0].name == "arima"
    assert said.models[0].horizons[0].log_return == pytest.approx(arima.horizons[0].log_return, abs=1e-12)
    assert said.models[0].horizons[0].spread == pytest.approx(arima.horizons[0].spread, rel=1e-9)


def test_bars_and_closes_of_them_are_the_same_but_for_the_time_that_bars_know() -> None:
    prices = closes(30)
    by_bars, by_closes = answer(request(bars=bars_of(prices))), answer(request(prices))
    assert by_bars.horizons[0].log_return == by_closes.horizons[0].log_return
    # 30 days from Monday the 4th on end on Tuesday, February 2nd; the next bar ends with the 3rd.
    assert by_bars.horizons[0].target_time_ns == from_rfc3339("2010-02-04")
    # Asked on Tuesday noon: the last close is Monday's, and Tuesday is forecast.
    assert by_closes.horizons[0].target_time_ns == from_rfc3339("2010-01-06")


def test_an_order_of_nothing_forecasts_its_mean() -> None:
    constant = arima_set(coefficients=ArimaCoefficients(ar=[], ma=[], mean=0.03))
    said = answer(request(closes(64)), model_set=constant)
    assert said.arima_order == [0, 0, 0]
    assert said.horizons[0].volatility is not None
    assert said.horizons[0].log_return == pytest.approx(0.03 * said.horizons[0].volatility)


@pytest.mark.parametrize(
    ("asked", "model_set", "degraded"),
    [
        (request(closes(20)), SET, TOO_FEW_CLOSES),
        (request(closes(64)), None, "untrained"),
        (request(closes(64)), a_set([Momentum("forest", 0.5)], [1.0]), NO_ARIMA),
        (request(closes(64)), arima_set((5, 21)), NO_ARIMA),
        (request([50.0] * 64), SET, "prices do not move"),
        (request(closes(64), interval="1h"), SET, OTHER_INTERVAL),
    ],
)
def test_where_the_arima_cannot_answer_the_statistical_forecaster_does_and_says_why(
    asked: ForecastRequest, model_set: Any, degraded: str
) -> None:
    said = answer(asked, model_set=model_set)
    assert (said.error, said.degraded, said.model_set, said.arima_order) == (None, degraded, "statistical", None)
    returns = np.diff(np.log(asked.closes))[-RETURNS_COUNT:]
    assert said.horizons[0].log_return == pytest.approx(returns.mean(), abs=1e-12)
    assert [model.name for model in said.models] == ["statistical"]


def test_ten_closes_are_answered_without_an_interval() -> None:
    [horizon] = answer(request(closes(10))).horizons
    assert (horizon.log_return, horizon.interval_95, horizon.volatility) == (0.0, None, None)
    assert horizon.direction is Direction.NEUTRAL


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (request(), "closes: 0 are given: send 10 to 10,000"),
        (request(closes(9)), "closes: 9 are given"),
        (request(closes(10_001)), "closes: 10001 are given"),
        (request(bars=bars_of(closes(9))), "bars: 9 are given"),
        (request(closes(12), bars=bars_of(closes(12))), "send one of them"),
        (request([*closes(12), 0.0]), "closes[12]: 0.0 is no price"),
        (request([*closes(12), -3.0]), "closes[12]: -3.0 is no price"),
        (request([math.inf, *closes(12)]), "closes[0]: inf is no price"),
        (request([math.nan, *closes(12)]), "closes[0]: nan is no price"),
        (request(bars=bars_of([*closes(12), -1.0])), "bars[12].close: -1.0 is no price"),
        (request(bars=bars_of(closes(12))[::-1]), "bars[1].start_ns: it is not after the one before"),
        (request(closes(12), ticker="aapl"), "ticker: 'aapl' is not a symbol"),
        (request(closes(12), requested_at_ns=2**63), "requested_at_ns: it is out of range"),
    ],
)
def test_what_is_wrong_is_named_with_what_to_send_instead(asked: ForecastRequest, named: str) -> None:
    said = answer(asked)
    assert said.error is not None
    assert named in said.error
    assert (said.request_id, said.horizons, said.models) == ("r-1", [], [])


def test_only_who_cannot_be_found_gets_no_answer() -> None:
    assert cannot_be_answered("r-1") is None
    assert "id has 0 characters" in str(cannot_be_answered(""))
    assert cannot_be_answered("x" * (LONGEST_ID + 1)) is not None
    assert problem_of(request(closes(10))) is None


def test_of_a_long_ticker_the_answer_repeats_little() -> None:
    said = answer(request(closes(64), ticker="A" * 1_000_000))
    assert said.ticker == "A" * 32
    assert "ticker: 'AAA" in str(said.error)
    assert len(encode(said)) < 1_000


def test_ids_tell_answers_apart_that_differ() -> None:
    asked = request(closes(64))
    ids = [
        answer(asked).id,
        answer(asked, model_set=None).id,
        answer(asked, model_set=arima_set((5, 21))).id,
        answer(asked, signal_share=0.1).id,
        answer(structs.replace(asked, closes=[])).id,
    ]
    assert len(set(ids)) == len(ids)
    assert answer(asked) == answer(asked)


def test_a_weekend_is_passed_over() -> None:
    friday = PriceBar(start_ns=from_rfc3339("2010-01-08"), open=1.0, high=1.0, low=1.0, close=1.0)
    bars = [*bars_of(closes(20), first_ns=friday.start_ns - 20 * DAY_NS), friday]
    assert answer(request(bars=bars)).horizons[0].target_time_ns == from_rfc3339("2010-01-12")
    asked_on_monday = request(closes(21), requested_at_ns=TUESDAY_NOON_NS - DAY_NS)
    assert answer(asked_on_monday).horizons[0].target_time_ns == from_rfc3339("2010-01-05")


def test_the_row_is_that_of_a_final_event() -> None:
    prices = closes(64)
    row = row_of(request(prices))
    assert (row.final, row.current_price, len(row.returns)) == (True, prices[-1], RETURNS_COUNT)
