"""Examples of what is recorded, for the OpenAPI document: those of the contract, through the recorder's rows."""

from typing import Any

import msgspec

from gateway.database.outcomes import Sums
from gateway.history import history_of
from gateway.past_bars import past_bars, past_features
from gateway.recorder.rows import bar_rows, feature_rows, outcome_rows, prediction_rows
from schemas.asyncapi_messages import read_example

_DAYS = 30


def examples_of_recorded(outcomes: Sums) -> dict[str, Any]:
    """Give an example of each shape by its name; `outcomes` are of the example outcome."""
    [predicted, *_], [outcome] = prediction_rows(_bytes("Prediction"), 0), outcome_rows(_bytes("Outcome"), 0)
    [bar], [features] = bar_rows(_bytes("Bar"), 0), feature_rows(_bytes("Features"), 0)
    past = [outcome | predicted]
    return {
        "History": history_of(predicted["ticker"], predicted["horizon"], _DAYS, past, outcomes, len(past)),
        "PastBars": past_bars(bar["ticker"], bar["interval"], [bar], 1),
        "PastFeatures": past_features(features["ticker"], features["interval"], [features], 1),
    }


def _bytes(name: str) -> bytes:
    return msgspec.json.encode(read_example(name))
