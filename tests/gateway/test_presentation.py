"""The public form of a prediction."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec import structs

import schemas
from gateway.entries import bar_entry, prediction_entry
from gateway.presentation import present
from schemas.codec import decoder
from schemas.events import Bar, Direction, MemberPrediction, Origin, Prediction, Signal
from schemas.json_schemas import schema_of
from schemas.public import LARGEST_INTEGER, PublicPrediction
from tests.gateway.samples import horizon, prediction


def public(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(present(prediction(**changes)))
    return body


def validate(body: dict[str, Any]) -> None:
    """Hold a body against the contract's JSON Schema, in which nothing is left out."""
    schema = schema_of(PublicPrediction)
    assert body.keys() == schema["properties"].keys() == set(schema["required"])
    jsonschema.Draft202012Validator(schema).validate(body)


def test_the_example_of_the_contract_is_what_comes_out() -> None:
    body = public()
    least = {
        "ticker": "AAPL",
        "current_price": 150.0,
        "prediction": {"price_target": 155.0, "confidence": 0.75, "direction": "bullish"},
        "timestamp": "2024-01-01T12:00:00Z",
    }
    short = {name: body["prediction"][name] for name in least["prediction"]}  # type: ignore[attr-defined]
    assert {**{name: body[name] for name in least}, "prediction": short} == least


def test_the_shortest_horizon_speaks_whatever_the_order() -> None:
    body = public(horizons=[horizon(21), horizon(5)])
    assert body["prediction"]["horizon"] == 5
    assert [one["horizon"] for one in body["horizons"]] == [5, 21]


def test_event_time_and_wall_time_are_told_apart() -> None:
    body = public()
    assert body["timestamp"] == "2024-01-01T12:00:00Z"
    assert body["updated_at"] == body["predicted_at"] == "2024-01-01T12:00:00.003500Z"
    assert body["ingested_at"] == "2024-01-01T12:00:00.001Z"


@pytest.mark.parametrize("bar", [None, prediction().bar])
@pytest.mark.parametrize("shadow", [None, prediction().models])
def test_the_documentation_tells_the_truth(bar: object, shadow: object) -> None:
    changes: dict[str, Any] = {"bar": bar, "shadow": shadow, "degraded": "untrained", "origin": Origin.SIMULATED}
    validate(public(**changes))


def test_the_documentation_tells_the_truth_of_a_ticker_whose_spread_is_not_known_yet() -> None:
    member = structs.replace(prediction().models[0].horizons[0], spread=None)
    models = [MemberPrediction(name="statistical", version="1", horizons=[member])]
    validate(public(models=models, horizons=[horizon(interval_95=None)]))


def test_signal_and_risk_stand_beside_the_intervals() -> None:
    said = {"signal": Signal.SELL, "volatility": 0.02, "loss_95_percent": 3.5, "usual_direction": Direction.BULLISH}
    body = public(horizons=[horizon(1, **said), horizon(5)])
    assert body["prediction"].items() >= said.items()
    assert {name: body["horizons"][1][name] for name in said} == dict.fromkeys(said)
    validate(body)


def test_a_members_prior_weight_is_shown() -> None:
    member = structs.replace(prediction().models[0].horizons[0], prior_weight=0.0)
    body = public(models=[MemberPrediction(name="naive", version="1", horizons=[member])])
    assert body["models"][0]["horizons"][0]["prior_weight"] == 0.0
    validate(body)


def test_no_nanoseconds_and_no_large_integers_reach_the_edge() -> None:
    def walk(value: Any, name: str = "") -> None:
        assert not name.endswith("_ns")
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, key)
        elif isinstance(value, list):
            for inner in value:
                walk(inner, name)
        elif isinstance(value, int):
            assert abs(value) <= LARGEST_INTEGER

    walk(public(shadow=prediction().models, source_offset=LARGEST_INTEGER))


def test_the_examples_of_the_contract_are_what_the_gateway_says_of_its_example_prediction() -> None:
    examples = Path(schemas.__file__).parent / "examples"
    event = decoder(Prediction)((examples / "Prediction.json").read_bytes())
    said = json.loads(prediction_entry(event, seq=20418, prev=20411, prev_final=19977).item)
    assert json.loads((examples / "PredictionMessage.json").read_bytes()) == {"type": "prediction"} | said
    assert json.loads((examples / "Snapshot.json").read_bytes())["predictions"] == [said]
    assert said == json.loads(present(event)) | {"seq": 20418, "prev": 20411, "prev_final": 19977}


def test_the_examples_of_bars_are_what_the_gateway_says_of_its_example_bar() -> None:
    examples = Path(schemas.__file__).parent / "examples"
    event = decoder(Bar)((examples / "Bar.json").read_bytes())
    said = json.loads(bar_entry(event, seq=459, prev=455).item)
    assert json.loads((examples / "BarMessage.json").read_bytes()) == {"type": "bar"} | said
    assert json.loads((examples / "BarSnapshot.json").read_bytes())["bars"] == [said]
