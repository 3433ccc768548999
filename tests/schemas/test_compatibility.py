"""Today's schemas against those of the last release, and proof that the comparison sees what it should."""

import copy
from typing import Any

import pytest

from schemas.compatibility import breaking_changes
from schemas.generate import ROOM, broken_promises
from schemas.json_schemas import json_schemas

SCHEMAS = dict(json_schemas())
PREDICTION = SCHEMAS["Prediction.schema.json"]


def changed(change: Any) -> list[str]:
    """Break a copy of the prediction's schema and say what the comparison sees."""
    today = copy.deepcopy(PREDICTION)
    change(today)
    return breaking_changes(PREDICTION, today)


def test_today_keeps_every_promise_of_the_last_release() -> None:
    assert list(ROOM.glob("released/*.schema.json")), "the released schemas are gone"
    assert broken_promises(ROOM) == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_compatible_with_itself(name: str) -> None:
    assert breaking_changes(SCHEMAS[name], copy.deepcopy(SCHEMAS[name])) == []


def test_a_removed_field_is_seen() -> None:
    assert changed(lambda s: s["properties"].pop("degraded")) == ["Prediction.degraded: is gone; keep it"]


def test_a_renamed_field_is_seen_as_gone_and_new() -> None:
    def rename(schema: Any) -> None:
        schema["properties"]["price"] = schema["properties"].pop("current_price")
        schema["required"] = [name.replace("current_price", "price") for name in schema["required"]]

    assert changed(rename) == [
        "Prediction.current_price: is gone; keep it",
        "Prediction.price: is new; give it a default",
    ]


def test_a_changed_type_is_seen() -> None:
    said = changed(lambda s: s["properties"]["bar_index"].update(type="string"))
    assert said == ["Prediction.bar_index: its type was integer, not string; keep it"]


def test_a_change_deep_inside_is_seen_with_its_place() -> None:
    said = changed(lambda s: s["$defs"]["HorizonPrediction"]["properties"]["log_return"].update(type="string"))
    assert said == ["Prediction.horizons[].log_return: its type was number, not string; keep it"]


def test_a_field_that_may_no_longer_be_null_is_seen() -> None:
    said = changed(lambda s: s["properties"].update(degraded={"type": "string", "default": None}))
    assert len(said) == 2
    assert all(line.startswith("Prediction.degraded: its ") for line in said)


def test_a_field_that_becomes_null_sometimes_is_seen() -> None:
    nullable = {"anyOf": [{"type": "number"}, {"type": "null"}]}
    assert changed(lambda s: s["properties"].update(current_price=nullable))


def test_a_new_required_field_is_seen() -> None:
    def require(schema: Any) -> None:
        schema["properties"]["venue"] = {"type": "string"}
        schema["required"].append("venue")

    assert changed(require) == ["Prediction.venue: is new; give it a default"]


def test_a_new_field_without_a_default_is_seen() -> None:
    said = changed(lambda s: s["properties"].update(venue={"type": "string"}))
    assert said == ["Prediction.venue: is new; give it a default"]


def test_an_optional_field_that_becomes_required_is_seen() -> None:
    assert changed(lambda s: s["required"].append("shadow")) == ["Prediction.shadow: was optional; keep it so"]


def test_a_required_field_that_becomes_optional_is_seen() -> None:
    assert changed(lambda s: s["required"].remove("id")) == ["Prediction.id: was required; keep it so"]


def test_another_default_is_seen() -> None:
    said = changed(lambda s: s["properties"]["partial"].update(default=True))
    assert said == ["Prediction.partial: its default was False, not True; keep it"]


def test_a_lost_word_of_an_enumeration_is_seen() -> None:
    said = changed(lambda s: s["$defs"]["Direction"]["enum"].remove("neutral"))
    assert said == [
        f"Prediction.horizons[].{name}: 'neutral' is gone; keep it" for name in ("direction", "usual_direction")
    ]


def test_an_enumeration_that_is_none_any_more_is_seen() -> None:
    said = changed(lambda s: s["properties"].update(interval={"type": "string"}))
    assert any("its enum was" in line for line in said)


def test_a_narrower_pattern_is_seen() -> None:
    assert changed(lambda s: s["properties"]["ticker"].update(pattern="^[A-Z]$"))


def test_what_may_grow_may_grow() -> None:
    def grow(schema: Any) -> None:
        schema["description"] = "Better words."
        schema["properties"]["venue"] = {"type": "string", "default": ""}
        schema["$defs"]["Direction"]["enum"].append("sideways")
        schema["$defs"]["Unused"] = {"type": "object"}

    assert changed(grow) == []


def test_a_type_that_only_moved_is_no_change() -> None:
    def inline(schema: Any) -> None:
        schema["properties"]["origin"] = schema["$defs"].pop("Origin") | {"default": "normal"}

    assert changed(inline) == []
