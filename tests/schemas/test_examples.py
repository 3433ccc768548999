"""Every event and socket message has an example: valid, readable, and true to what the contract says of its parts."""

import json
import math
from typing import Any

import jsonschema
import msgspec
import numpy as np
import pytest
from msgspec import Struct

from schemas import VERSION, events
from schemas.asyncapi_messages import EXAMPLES, read_example
from schemas.codec import Event, UndecodableError, decoder, encode
from schemas.features import (
    FEATURE_VERSION,
    INDICATOR_NAMES,
    LAGS,
    MODEL_INPUT_NAMES,
    RETURN_SPANS,
    RETURNS_COUNT,
    SEQUENCE_CHANNELS,
    SEQUENCE_STEPS,
)
from schemas.identity import bar_id, final_feature_id, outcome_id, prediction_id
from schemas.json_schemas import MESSAGE_TYPES, schema_of
from schemas.sockets import PredictionMessage, Snapshot
from schemas.symbols import is_ticker
from schemas.times import interval_ns, to_rfc3339

EVERY_TYPE = pytest.mark.parametrize("message_type", MESSAGE_TYPES, ids=lambda message_type: message_type.__name__)


def example(message_type: type[Event]) -> Event:
    return msgspec.convert(read_example(message_type.__name__), message_type)


def required_fields(message_type: type[Struct]) -> list[str]:
    return [name for name in schema_of(message_type)["required"] if name not in ("type", "action")]


def test_every_type_has_an_example_and_every_example_a_type() -> None:
    assert {path.stem for path in EXAMPLES.iterdir()} == {message_type.__name__ for message_type in MESSAGE_TYPES}


@EVERY_TYPE
def test_an_example_validates_against_its_schema(message_type: type[Struct]) -> None:
    validator = jsonschema.Draft202012Validator(schema_of(message_type))
    validator.validate(read_example(message_type.__name__))


@EVERY_TYPE
def test_an_example_is_read_and_written_back_to_the_same_content(message_type: type[Struct]) -> None:
    written = json.loads(encode(decoder(message_type)((EXAMPLES / f"{message_type.__name__}.json").read_bytes())))
    content = read_example(message_type.__name__)
    assert written == content


@EVERY_TYPE
def test_an_unknown_field_is_passed_over(message_type: type[Struct]) -> None:
    read = decoder(message_type)
    content = read_example(message_type.__name__)
    assert read(json.dumps(content | {"added_later": {"x": [1]}}).encode()) == read(json.dumps(content).encode())


@EVERY_TYPE
def test_a_missing_required_field_is_named_and_the_schema_agrees(message_type: type[Struct]) -> None:
    validator = jsonschema.Draft202012Validator(schema_of(message_type))
    for name in required_fields(message_type):
        content = read_example(message_type.__name__)
        del content[name]
        assert not validator.is_valid(content)
        with pytest.raises(UndecodableError, match=f"^{message_type.__name__}: .*`{name}`"):
            decoder(message_type)(json.dumps(content).encode())


@pytest.mark.parametrize(
    ("message_type", "field", "wrong"),
    [
        (events.Bar, "ticker", "aapl"),
        (events.Bar, "interval", "1w"),
        (events.Bar, "close", "27.5"),
        (events.Prediction, "horizons", {}),
        (events.TickFrame, "tickers", ["AAPL", "not a symbol", "A", "B"]),
        (events.ServiceStatus, "state", "fine"),
    ],
)
def test_a_schema_refuses_what_is_wrong(message_type: type[Struct], field: str, wrong: Any) -> None:
    content = read_example(message_type.__name__) | {field: wrong}
    assert not jsonschema.Draft202012Validator(schema_of(message_type)).is_valid(content)


def test_the_frames_columns_are_equally_long_and_before_its_watermark() -> None:
    frame = example(events.TickFrame)
    assert len(frame.tickers) == len(frame.times_ns) == len(frame.prices) == len(frame.sizes) > 0
    assert all(map(is_ticker, frame.tickers))
    assert frame.watermark_ns is not None
    assert max(frame.times_ns) < frame.watermark_ns


def test_the_bar_is_a_bar_with_its_own_id() -> None:
    bar = example(events.Bar)
    assert bar.id == bar_id(bar.ticker, bar.interval, bar.start_ns)
    assert bar.end_ns - bar.start_ns == interval_ns(bar.interval)
    assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
    assert bar.ingested_at_ns <= bar.closed_at_ns


def test_the_features_are_those_of_the_bar() -> None:
    bar, features = example(events.Bar), example(events.Features)
    assert features.id == final_feature_id(bar.ticker, bar.interval, bar.start_ns)
    assert features.final
    assert features.as_of_ns == bar.end_ns
    assert msgspec.structs.asdict(features.bar).items() <= msgspec.structs.asdict(bar).items()
    assert features.current_price == features.last_close == bar.close
    assert (features.bar_index, features.source_offset) == (bar.bar_index, bar.source_offset)
    assert features.feature_version == FEATURE_VERSION


def test_the_features_have_the_names_and_sizes_of_the_contract() -> None:
    features = example(events.Features)
    assert tuple(features.indicators) == INDICATOR_NAMES
    assert len(features.model_inputs) == len(MODEL_INPUT_NAMES)
    assert np.shape(features.sequence) == (SEQUENCE_STEPS, len(SEQUENCE_CHANNELS))
    assert len(features.returns) == RETURNS_COUNT


def test_the_features_fit_together() -> None:
    features = example(events.Features)
    returns = np.array(features.returns)
    named: Any = features.indicators
    assert features.volatility is not None
    assert features.volatility == pytest.approx(np.std(returns[-20:], ddof=1), rel=1e-9)
    assert named["volatility_20"] == features.volatility
    for lag in LAGS:
        assert named[f"lagged_return_{lag}"] == pytest.approx(returns[-1 - lag], abs=1e-12)
    for span in RETURN_SPANS:
        assert named[f"return_{span}"] == pytest.approx(returns[-span:].sum(), abs=1e-12)
    assert named["sma_ratio"] == pytest.approx(named["sma_5"] / named["sma_20"])
    assert named["macd"] == pytest.approx(named["ema_12"] - named["ema_26"], rel=1e-3)
    assert named["macd_histogram"] == pytest.approx(named["macd"] - named["macd_signal"])
    inputs = dict(zip(MODEL_INPUT_NAMES, features.model_inputs, strict=True))
    for span in RETURN_SPANS:
        scaled = named[f"return_{span}"] / (features.volatility * math.sqrt(span))
        assert inputs[f"return_{span}_scaled"] == pytest.approx(scaled)
    assert inputs["log_volatility_20"] == pytest.approx(math.log(features.volatility))


def test_the_prediction_is_that_of_the_features() -> None:
    features, prediction = example(events.Features), example(events.Prediction)
    members = [member.name for member in prediction.models]
    assert prediction.feature_id == features.id
    assert prediction.id == prediction_id(
        features.id, prediction.model_set, prediction.weights_version, prediction.intervals_version, members
    )
    assert (prediction.as_of_ns, prediction.bar_index) == (features.as_of_ns, features.bar_index)
    assert prediction.current_price == features.current_price
    assert prediction.bar in (None, features.bar)
    assert prediction.ingested_at_ns <= prediction.featured_at_ns <= prediction.predicted_at_ns
    assert not prediction.provisional


@pytest.mark.parametrize("index", range(3))
def test_a_horizon_is_the_weighted_word_of_the_members(index: int) -> None:
    prediction = example(events.Prediction)
    horizon = prediction.horizons[index]
    members = [member.horizons[index] for member in prediction.models]
    price = prediction.current_price
    assert {member.horizon for member in members} == {horizon.horizon}
    assert sum(member.weight for member in members) == pytest.approx(1)
    assert horizon.log_return == pytest.approx(sum(member.weight * member.log_return for member in members))
    assert horizon.confidence == pytest.approx(min(member.confidence for member in members))
    assert horizon.price_target == pytest.approx(price * math.exp(horizon.log_return))
    assert horizon.percent == pytest.approx(100 * math.expm1(horizon.log_return))
    assert horizon.target_time_ns > prediction.as_of_ns


@pytest.mark.parametrize("index", range(3))
def test_a_horizons_direction_and_intervals_follow_from_it(index: int) -> None:
    horizon = example(events.Prediction).horizons[index]
    sign = events.Direction.BULLISH if horizon.log_return > 0 else events.Direction.BEARISH
    assert horizon.direction == (sign if horizon.confidence > 0.5 else events.Direction.NEUTRAL)
    assert horizon.interval_95 is not None
    assert horizon.interval_99 is not None
    low, high = horizon.interval_95.low, horizon.interval_95.high
    assert horizon.interval_99.low < low < horizon.price_target < high < horizon.interval_99.high


@pytest.mark.parametrize("index", range(3))
def test_a_horizons_signal_and_risk_follow_from_it(index: int) -> None:
    features, prediction = example(events.Features), example(events.Prediction)
    horizon = prediction.horizons[index]
    assert features.volatility is not None
    assert horizon.volatility == pytest.approx(features.volatility * math.sqrt(horizon.horizon))
    assert horizon.interval_95 is not None
    assert horizon.loss_95_percent is not None
    assert 0 <= horizon.loss_95_percent < 100 * (1 - horizon.interval_95.low / prediction.current_price)
    assert horizon.volatility is not None
    beyond = abs(horizon.log_return) > 0.5 * horizon.volatility
    assert (horizon.signal is not events.Signal.HOLD) == beyond


def test_a_members_prior_weight_is_that_of_its_model() -> None:
    prior = {member.name: member.prior_weight for member in example(events.ModelEvent).members}
    for member in example(events.Prediction).models:
        assert {horizon.prior_weight for horizon in member.horizons} == {prior[member.name]}


def test_the_outcome_is_that_of_the_prediction() -> None:
    prediction, outcome = example(events.Prediction), example(events.Outcome)
    horizon = prediction.horizons[0]
    assert outcome.id == outcome_id(outcome.ticker, outcome.interval, outcome.start_ns, outcome.horizon)
    assert outcome.prediction_id == prediction.id
    assert outcome.start_ns + interval_ns(outcome.interval) == outcome.as_of_ns == prediction.as_of_ns
    assert outcome.matured_ns > outcome.as_of_ns
    assert (outcome.horizon, outcome.predicted_log_return) == (horizon.horizon, horizon.log_return)
    assert (outcome.direction, outcome.confidence) == (horizon.direction, horizon.confidence)
    assert outcome.models == {member.name: member.horizons[0] for member in prediction.models}


def test_the_outcomes_verdicts_are_right() -> None:
    prediction, outcome = example(events.Prediction), example(events.Outcome)
    price = prediction.current_price * math.exp(outcome.actual_log_return)
    range_95, range_99 = prediction.horizons[0].interval_95, prediction.horizons[0].interval_99
    assert range_95 is not None
    assert range_99 is not None
    hit = (outcome.actual_log_return > 0) == (outcome.predicted_log_return > 0)
    assert outcome.hit == (None if outcome.direction is events.Direction.NEUTRAL else hit)
    assert outcome.inside_95 == (range_95.low <= price <= range_95.high)
    assert outcome.inside_99 == (range_99.low <= price <= range_99.high)


def test_the_scoreboards_numbers_can_be() -> None:
    for horizon in example(events.Scoreboard).horizons:
        for score in (horizon.ensemble, horizon.naive, *horizon.models.values()):
            assert score.count == horizon.settled_dates
            assert 0 < score.mean_absolute_error <= score.root_mean_squared_error
        assert horizon.ensemble.hit_rate_low is not None
        assert horizon.ensemble.hit_rate is not None
        assert horizon.ensemble.hit_rate_high is not None
        assert horizon.ensemble.hit_rate_low < horizon.ensemble.hit_rate < horizon.ensemble.hit_rate_high
        assert horizon.weights == {}, "they are on the board of all tickers"
        assert horizon.width_95 is not None
        assert horizon.coverage_95 is not None
        assert horizon.coverage_99 is not None
        assert horizon.coverage_95 <= horizon.coverage_99


def test_the_model_event_is_that_of_the_predictions_set() -> None:
    prediction, event = example(events.Prediction), example(events.ModelEvent)
    assert event.serving == event.model_set == prediction.model_set
    assert {member.name for member in event.members} == {member.name for member in prediction.models}
    assert event.horizons == [horizon.horizon for horizon in prediction.horizons]
    assert event.train_start_ns < event.train_end_ns < prediction.as_of_ns
    assert prediction.in_sample == (prediction.as_of_ns <= event.train_end_ns)
    assert sum(member.prior_weight for member in event.members) == pytest.approx(1)
    assert event.feature_version == FEATURE_VERSION
    for member in event.members:
        assert [score.horizon for score in member.hold_out] == event.horizons
        assert set(member.feature_importance) <= set(MODEL_INPUT_NAMES)


def test_the_forecast_answers_the_request() -> None:
    request, answer = example(events.ForecastRequest), example(events.Forecast)
    assert answer.request_id == request.id
    assert answer.answered_at_ns > request.requested_at_ns
    assert (answer.ticker, answer.interval) == (request.ticker, request.interval)
    assert answer.from_price == request.bars[-1].close
    starts = [bar.start_ns for bar in request.bars]
    assert starts == sorted(set(starts))
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in request.bars)


def test_the_sockets_prediction_is_that_of_the_topic() -> None:
    prediction = example(events.Prediction)
    message, snapshot = example(PredictionMessage), example(Snapshot)
    horizon = prediction.horizons[0]
    assert read_example("PredictionMessage") == {"type": "prediction"} | msgspec.to_builtins(snapshot.predictions[0])
    assert (message.ticker, message.current_price) == (prediction.ticker, prediction.current_price)
    assert message.timestamp == to_rfc3339(prediction.as_of_ns)
    assert message.prediction.price_target == pytest.approx(horizon.price_target)
    assert message.prediction.confidence == pytest.approx(horizon.confidence)
    assert message.prediction.direction == horizon.direction


def test_examples_speak_of_this_version() -> None:
    assert example(events.ServiceStatus).version == VERSION
    assert read_example("Welcome")["version"] == VERSION
