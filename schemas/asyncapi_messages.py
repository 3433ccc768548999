"""The messages of the AsyncAPI document, each with an example from `schemas/examples/`."""

import json
from pathlib import Path
from typing import Any

from msgspec import Struct

from schemas.codec import CONTENT_TYPE, event_headers
from schemas.dead_letters import DeadLetter
from schemas.json_schemas import JsonObject, split_docstring
from schemas.topics import DEAD_LETTERS, FEATURES, TICKS, Topic

EXAMPLES = Path(__file__).parent / "examples"
_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
_DEAD_LETTER = DeadLetter(
    value=b'{"id": "AAPL:1d:',
    key=b"AAPL",
    reason="Features: Input data was truncated",
    origin=FEATURES.name,
    partition=2,
    offset=41,
)


def ref(*path: str) -> dict[str, str]:
    """Point into the document."""
    return {"$ref": "#/" + "/".join(path)}


def read_example(name: str) -> Any:
    """Read the example of an event or a socket message."""
    return json.loads((EXAMPLES / f"{name}.json").read_text())


def message_name(topic: Topic) -> str:
    """Name what a topic holds."""
    return topic.event.__name__ if topic.event else DeadLetter.__name__


def topic_message(topic: Topic) -> JsonObject:
    """Give the message of a topic."""
    name = message_name(topic)
    message: JsonObject = {"name": f"tickcast.{name}", "title": name, "summary": topic.description}
    message |= {"contentType": CONTENT_TYPE if topic.event else "application/octet-stream"}
    if topic.event:
        message["payload"] = ref("components", "schemas", name)
    if topic.cloud_events:
        message["headers"] = ref("components", "schemas", "CloudEventHeaders")
    if topic is DEAD_LETTERS:
        message["headers"] = ref("components", "schemas", "DeadLetterHeaders")
    if topic is not TICKS:
        key = {"type": "string", "description": topic.key}
        message["bindings"] = {"kafka": {"key": key, "bindingVersion": "0.5.0"}}
    return message | {"examples": [_topic_example(topic)]}


def socket_message(message_type: type[Struct]) -> JsonObject:
    """Give one message of the WebSocket."""
    name = message_type.__name__
    summary, _ = split_docstring(message_type.__doc__ or "")
    payload = ref("components", "schemas", name)
    return {"name": name, "summary": summary, "payload": payload, "examples": [{"payload": read_example(name)}]}


def _topic_example(topic: Topic) -> JsonObject:
    if topic.event is None:
        return {"headers": _texts(_DEAD_LETTER.headers()), "payload": _DEAD_LETTER.value.decode()}
    payload = read_example(message_name(topic))
    return ({"headers": _example_headers(topic, payload)} if topic.cloud_events else {}) | {"payload": payload}


def _example_headers(topic: Topic, payload: JsonObject) -> JsonObject:
    made_at_ns = max(value for name, value in payload.items() if name.endswith("_at_ns"))
    return _texts(event_headers(message_name(topic), f"{topic.written_by}/1", payload["id"], made_at_ns, _TRACE))


def _texts(headers: list[tuple[str, bytes]]) -> JsonObject:
    return {name: value.decode() for name, value in headers}


def _headers_schema(description: str, names: list[str], required: list[str]) -> JsonObject:
    properties = {name: {"type": "string"} for name in names}
    return {"type": "object", "description": description, "properties": properties, "required": required}


_cloud_event_names = [name for name, _ in event_headers("", "", "", 0)]
_every_place = DeadLetter(value=b"", reason="", origin="", partition=0, offset=0, index=0, position="")

ADDED_SCHEMAS: dict[str, JsonObject] = {
    "CloudEventHeaders": _headers_schema(
        "CloudEvents 1.0, binary mode, and the W3C trace that the event belongs to.",
        _cloud_event_names,
        _cloud_event_names,
    ),
    "DeadLetterHeaders": _headers_schema(
        "Where the original bytes came from, and why they are here.",
        [name for name, _ in _every_place.headers()],
        [name for name, _ in DeadLetter(value=b"", reason="", origin="").headers()],
    ),
}
