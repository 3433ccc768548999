"""Holds every message of the gateway that a test reads against the contract."""

import json
from collections import Counter
from typing import Any

import jsonschema
import msgspec

from schemas.json_schemas import SERVER_MESSAGES, schema_of

_VALIDATORS = {
    message_type.__struct_config__.tag: jsonschema.Draft202012Validator(schema_of(message_type) | strict)
    for message_type in SERVER_MESSAGES
    for strict in [{"additionalProperties": False}]  # what the contract does not name, the gateway does not say
}


#: Messages of each type that are looked at whole. JSON Schema takes milliseconds, and some tests hear thousands.
_LOOKED_AT_WHOLE = 200
_seen: Counter[str] = Counter()


def read_message(data: str | bytes) -> dict[str, Any]:
    """Read a message of the gateway: JSON where it is text, msgpack where it is binary.

    Fails the test where it is not as its schema says; after many of its type, of every hundredth.
    """
    message: dict[str, Any] = json.loads(data) if isinstance(data, str) else msgspec.msgpack.decode(data)
    kind = message["type"]
    _seen[kind] += 1
    if _seen[kind] <= _LOOKED_AT_WHOLE or _seen[kind] % 100 == 0:
        _VALIDATORS[kind].validate(message)
    return message
