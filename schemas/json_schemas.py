"""JSON Schemas (draft 2020-12) of every event and socket message, made from the code."""

import inspect
from collections.abc import Iterator
from typing import Any, get_args

import msgspec
from msgspec import Struct

from schemas import events, sockets
from schemas.symbols import TICKER_PATTERN
from schemas.topics import TOPICS

JsonObject = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TICKER_OR_ALL_PATTERN = TICKER_PATTERN.replace("^", r"^\*$|^", 1)
_NS_DESCRIPTION = "Nanoseconds since 1970-01-01 in UTC; read it as a 64-bit integer."

EVENT_TYPES: tuple[type[Struct], ...] = tuple(
    dict.fromkeys(topic.event for topic in TOPICS if topic.event is not None)  # in the order of the table, each once
)
CLIENT_MESSAGES: tuple[type[Struct], ...] = get_args(sockets.ClientMessage)
PREDICTIONS_SERVER_MESSAGES: tuple[type[Struct], ...] = get_args(sockets.PredictionsServerMessage)
BARS_SERVER_MESSAGES: tuple[type[Struct], ...] = get_args(sockets.BarsServerMessage)
SERVER_MESSAGES: tuple[type[Struct], ...] = get_args(sockets.ServerMessage)
MESSAGE_TYPES: tuple[type[Struct], ...] = (*EVENT_TYPES, *CLIENT_MESSAGES, *SERVER_MESSAGES)


def split_docstring(text: str) -> tuple[str, dict[str, str]]:
    """Split a docstring into what it says of the whole and, from its `Attributes:`, of each attribute."""
    whole, _, listed = inspect.cleandoc(text).partition("\nAttributes:\n")
    described: dict[str, str] = {}
    name = ""
    for line in inspect.cleandoc(listed).splitlines():
        if not line.startswith(" "):
            name, _, line = line.partition(":")  # noqa: PLW2901 - what follows the name is the description's first line
            described[name] = ""
        described[name] = f"{described[name]} {line.strip()}".strip()
    return " ".join(whole.split()), described


def component_schemas(types: tuple[type[Struct], ...], ref_template: str) -> dict[str, JsonObject]:
    """Give the schema of each type and of all that they are made of, by name."""
    _, components = msgspec.json.schema_components(types, ref_template=ref_template)
    for name, schema in components.items():
        _describe(schema)
        _constrain_tickers(name, schema)
    return components


def _describe(schema: JsonObject) -> None:
    schema["description"], described = split_docstring(schema.get("description", ""))
    for name, field in schema.get("properties", {}).items():
        text = [described[name]] if name in described else []
        if name.endswith("_ns"):
            text.append(_NS_DESCRIPTION)
            _branch(field, "integer")["format"] = "int64"
        if text:
            field["description"] = " ".join(text)


def _branch(field: JsonObject, type_name: str) -> JsonObject:
    """Give the part of a field's schema that has a type: itself, one of its alternatives, its items, or its values."""
    parts = (field, *field.get("anyOf", []), field.get("items", {}), field.get("additionalProperties", {}))
    return next(part for part in parts if part.get("type") == type_name)


def _constrain_tickers(name: str, schema: JsonObject) -> None:
    """Say what a symbol looks like, wherever a field of that name does not; socket messages take and give `*` too."""
    fields = schema.get("properties", {})
    if "ticker" in fields:
        pattern = TICKER_OR_ALL_PATTERN if name == events.Scoreboard.__name__ else TICKER_PATTERN
        _branch(fields["ticker"], "string").setdefault("pattern", pattern)
    if "tickers" in fields and hasattr(events, name):
        _branch(fields["tickers"], "string")["pattern"] = TICKER_PATTERN


def schema_of(message_type: type[Struct]) -> JsonObject:
    """Give the schema of one type, complete in itself."""
    components = component_schemas((message_type,), "#/$defs/{name}")
    name = message_type.__name__
    document = {"$schema": DIALECT, "$id": f"urn:tickcast:schema:{name}", **components.pop(name)}
    return document | ({"$defs": dict(sorted(components.items()))} if components else {})


def json_schemas() -> Iterator[tuple[str, JsonObject]]:
    """Give file name and schema of every event and socket message."""
    for message_type in MESSAGE_TYPES:
        yield f"{message_type.__name__}.schema.json", schema_of(message_type)
