"""Holds every message of the gateway that a test reads against the contract."""

import json
from typing import Any

import jsonschema
import msgspec

from schemas.json_schemas import SERVER_MESSAGES, schema_of

_VALIDATORS = {
    message_type.__struct_config__.tag: jsonschema.Draft202012Validator(schema_of(message_type) | strict)
    for message_type in SERVER_MESSAGES
    for strict in [{"additionalProperties": False}]  # what the contract does not name, the gateway does not say
}


def read_message(data: str | bytes) -> dict[str, Any]:
    """Read a message of the gateway: JSON where it is text, msgpack where it is binary.

    Fails the test where it is not as its schema says.
    """
    message: dict[str, Any] = json.loads(data) if isinstance(data, str) else msgspec.msgpack.decode(data)
    _VALIDATORS[message["type"]].validate(message)
    return message
