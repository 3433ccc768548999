"""Events to arrays, and which events are no use."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from predictor.batch import (
    LONGEST_ID,
    model_batch,
    problem_of,
    statistical_batch,
    why_not_for_models,
)
from predictor.predict import predict
from schemas.codec import decoder, encode
from schemas.events import Features, Prediction
from schemas.features import MODEL_INPUT_NAMES, RETURNS_COUNT, SEQUENCE_CHANNELS, SEQUENCE_STEPS, VOLATILITY_FLOOR
from tests.predictor.feature_events import before_any_bar, final, provisional_after, warming_up
from tests.predictor.forecasters import HORIZONS, Momentum, a_set

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def test_rows_become_arrays_of_the_stated_shapes_in_order() -> None:
    rows = [final("AAPL"), final("GOOG")]
    batch = model_batch(rows)
    assert len(batch) == 2
    assert batch.model_inputs.shape == (2, len(MODEL_INPUT_NAMES))
    assert batch.model_inputs.dtype.name == batch.sequence.dtype.name == "float32"
    assert batch.sequence.shape == (2, SEQUENCE_STEPS, len(SEQUENCE_CHANNELS))
    np.testing.assert_allclose(batch.sequence[1], rows[1].sequence, rtol=1e-6)
    np.testing.assert_array_equal(batch.returns, [row.returns for row in rows])
    np.testing.assert_array_equal(batch.volatility, [row.volatility for row in rows])


def test_a_short_history_stands_on_the_right() -> None:
    event = warming_up(final(), returns=3)
    (returns,) = statistical_batch([event]).returns
    assert returns[-3:].tolist() == event.returns
    assert np.isnan(returns[: RETURNS_COUNT - 3]).all()


def test_no_history_is_all_unknown() -> None:
    batch = statistical_batch([before_any_bar()])
    assert np.isnan(batch.returns).all()
    assert np.isnan(batch.volatility).all()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"ticker": "aapl"}, "ticker"),
        ({"id": "x" * (LONGEST_ID + 1)}, "id is longer"),
        ({"interval": "1m"}, "interval"),
        ({"current_price": 0.0}, "current_price"),
        ({"current_price": -3.0}, "current_price"),
        ({"last_close": None}, "last_close"),
        ({"last_close": 1e300}, "last_close"),
        ({"volatility": -0.1}, "volatility"),
        ({"model_inputs": [1.0]}, "model_inputs"),
        ({"sequence": [[1.0]] * SEQUENCE_STEPS}, "sequence"),
        ({"sequence": []}, "sequence"),
        ({"as_of_ns": 2**63}, "as_of_ns"),
    ],
)
def test_an_unusable_event_is_refused_and_the_field_named(change: dict[str, Any], named: str) -> None:
    assert named in str(problem_of(structs.replace(final(), **change), "1d"))


def test_usual_events_have_no_problem() -> None:
    events = (final(), provisional_after(final(), price=3.0), before_any_bar(), warming_up(final(), returns=2))
    assert [problem_of(event, "1d") for event in events] == [None] * 4
    assert [why_not_for_models(event) for event in events] == [None, None, "warming up", "warming up"]


@pytest.mark.parametrize(
    ("volatility", "reason"),
    [(0.0, "prices do not move"), (VOLATILITY_FLOOR, "prices do not move"), (2 * VOLATILITY_FLOOR, None)],
)
def test_a_ticker_that_all_but_stands_still_is_not_for_the_models(volatility: float, reason: str | None) -> None:
    assert why_not_for_models(structs.replace(final(), volatility=volatility)) == reason


@settings(max_examples=200)
@given(
    price=st.floats(1e-12, 1e15),
    last=st.floats(1e-12, 1e15),
    volatility=st.none() | st.floats(0, 1e300),
    returns=st.lists(NUMBERS, max_size=70),
    inputs=st.sampled_from([0, len(MODEL_INPUT_NAMES)]).flatmap(lambda n: st.lists(NUMBERS, min_size=n, max_size=n)),
    time_ns=st.integers(-(2**62) + 1, 2**62 - 1),
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_no_event_that_is_accepted_can_stop_the_predictor(
    price: float, last: float, volatility: float | None, returns: list[float], inputs: list[float], time_ns: int
) -> None:
    bar = structs.replace(final().bar, start_ns=time_ns)
    closed = structs.replace(final(), returns=returns, volatility=volatility, model_inputs=inputs, bar=bar)
    event = structs.replace(provisional_after(closed, price=price), last_close=last, bar=bar)
    event = decoder(Features)(encode(event))
    assert problem_of(event, "1d") is None
    model_set = a_set([Momentum("forest", 0.5), Momentum("lstm", -3.0)], [0.4, 0.6])
    for served in (model_set, None):
        (prediction,) = predict([event], served, HORIZONS, now_ns=0).predictions
        again = decoder(Prediction)(encode(prediction))
        assert all(math.isfinite(each.price_target) and each.price_target > 0 for each in again.horizons)
