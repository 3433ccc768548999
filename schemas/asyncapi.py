"""The AsyncAPI 3.0 document: every topic and the WebSocket, made from the code."""

from typing import Any

import yaml
from msgspec import Struct

from schemas import VERSION
from schemas.asyncapi_messages import (
    ADDED_SCHEMAS,
    message_name,
    ref,
    socket_message,
    topic_message,
)
from schemas.close_codes import CLOSE_REASONS, means_reconnect
from schemas.codec import CONTENT_TYPE
from schemas.json_schemas import (
    BARS_SERVER_MESSAGES,
    CLIENT_MESSAGES,
    MESSAGE_TYPES,
    PREDICTIONS_SERVER_MESSAGES,
    SERVER_MESSAGES,
    JsonObject,
    component_schemas,
)
from schemas.settings import Settings
from schemas.sockets import (
    BARS_SOCKET_PATH,
    EVENTS_PATH,
    SOCKET_PATH,
    Heartbeat,
    PredictionMessage,
    ServerShutdown,
    Snapshot,
    Subscribed,
)
from schemas.topics import TOPICS, Topic, partition_count

EVENTS = "events"
WEBSOCKET = "websocket"
BARS_WEBSOCKET = "websocket-bars"
#: Of each socket: its address, what it is for, and what the gateway says there.
_SOCKETS = {
    WEBSOCKET: (
        SOCKET_PATH,
        "Subscribe to tickers; get their latest predictions at once, then every new one.",
        PREDICTIONS_SERVER_MESSAGES,
    ),
    BARS_WEBSOCKET: (
        BARS_SOCKET_PATH,
        "Subscribe to tickers; get their last closed bars at once, then every bar that closes, and the one that forms.",
        BARS_SERVER_MESSAGES,
    ),
}
_DEFAULTS: dict[str, Any] = {name: field.default for name, field in Settings.model_fields.items()}
_EVENT_MESSAGES: tuple[type[Struct], ...] = (Subscribed, Snapshot, PredictionMessage, Heartbeat, ServerShutdown)


def asyncapi_document() -> JsonObject:
    """Give the whole document."""
    sockets = {message.__name__: socket_message(message) for message in (*CLIENT_MESSAGES, *SERVER_MESSAGES)}
    schemas = component_schemas(MESSAGE_TYPES, "#/components/schemas/{name}")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tickcast",
            "version": VERSION,
            "description": "Live stock predictions from a stream of ticks. Values are JSON. Within a version names and "
            "shapes only grow: pass over fields that you do not know.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {
            "kafka": {"host": _DEFAULTS["kafka_bootstrap_servers"], "protocol": "kafka"},
            "gateway": {"host": "127.0.0.1:8000", "protocol": "ws"},
            "gateway-http": {"host": "127.0.0.1:8000", "protocol": "http"},
        },
        "channels": {topic.name: _topic_channel(topic) for topic in TOPICS}
        | {name: _socket_channel(name) for name in _SOCKETS}
        | {EVENTS: _events_channel()},
        "operations": _operations(),
        "components": {
            "messages": {topic.name: topic_message(topic) for topic in TOPICS} | sockets,
            "schemas": dict(sorted((schemas | ADDED_SCHEMAS).items())),
        },
    }


def asyncapi_text() -> str:
    """Give the document as YAML."""
    head = "# Generated from the code by `python -m schemas.generate`; do not edit.\n"
    document = asyncapi_document()
    return head + yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True)


def _topic_channel(topic: Topic) -> JsonObject:
    return {
        "address": "{prefix}" + topic.name,
        "description": topic.description,
        "parameters": {"prefix": {"description": "`TICKCAST_TOPIC_PREFIX` of the deployment.", "default": ""}},
        "servers": [ref("servers", "kafka")],
        "messages": {message_name(topic): ref("components", "messages", topic.name)},
        "bindings": {
            "kafka": {
                "partitions": partition_count(topic, _DEFAULTS["partitions"]),
                "topicConfiguration": _topic_configuration(topic),
                "bindingVersion": "0.5.0",
            }
        },
        "x-key": topic.key,
        "x-written-by": topic.written_by,
    }


def _topic_configuration(topic: Topic) -> JsonObject:
    texts = topic.config(_DEFAULTS["topic_retention_bytes"])
    numbers = {name: int(texts[name]) for name in ("retention.ms", "retention.bytes") if name in texts}
    return texts | numbers | {"cleanup.policy": [texts["cleanup.policy"]]}


def _socket_channel(name: str) -> JsonObject:
    address, description, server_messages = _SOCKETS[name]
    names = [message.__name__ for message in (*CLIENT_MESSAGES, *server_messages)]
    return {
        "address": address,
        "description": f"{description} Text messages are JSON, binary ones msgpack with the same fields.",
        "servers": [ref("servers", "gateway")],
        "messages": {name: ref("components", "messages", name) for name in names},
        "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
        "x-close-codes": [
            {"code": int(code), "name": code.name.lower(), "reconnect": means_reconnect(code), "reason": reason}
            for code, reason in CLOSE_REASONS.items()
        ],
    }


def _events_channel() -> JsonObject:
    return {
        "address": EVENTS_PATH,
        "description": f"What `{SOCKET_PATH}` says, as server-sent events: `event` is the type, `data` the message, "
        "`id` the place to go on after. The query has `tickers`, `max_rate`, `min_confidence`, `final_only`, "
        "`last_event_id` where no header `Last-Event-ID` says it, and `ticket` where no header has a key.",
        "servers": [ref("servers", "gateway-http")],
        "messages": {message.__name__: ref("components", "messages", message.__name__) for message in _EVENT_MESSAGES},
    }


def _operations() -> JsonObject:
    operations: JsonObject = {
        f"send-{topic.name}": {"action": "send", "channel": ref("channels", topic.name), "summary": topic.description}
        for topic in TOPICS
    }
    for name, (_, _, server_messages) in _SOCKETS.items():
        operations[f"receive-{name}"] = _socket_operation("receive", name, CLIENT_MESSAGES)
        operations[f"send-{name}"] = _socket_operation("send", name, server_messages)
    operations[f"send-{EVENTS}"] = _socket_operation("send", EVENTS, _EVENT_MESSAGES)
    return operations


def _socket_operation(action: str, name: str, messages: tuple[type[Struct], ...]) -> JsonObject:
    return {
        "action": action,
        "channel": ref("channels", name),
        "messages": [ref("channels", name, "messages", message.__name__) for message in messages],
    }


class _Dumper(yaml.SafeDumper):
    """No anchors, and a list of numbers on one line."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        """Write what is used twice out twice."""
        return True

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> yaml.SequenceNode:
        """Keep lists of numbers and words together."""
        flat = all(isinstance(item, int | float | str) for item in sequence)
        return super().represent_sequence(tag, sequence, flow_style=flat or flow_style)
