"""Messages as bytes. Every message of the server is held against the schema."""

from collections.abc import Callable
from typing import get_args

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from gateway.client.errors import ProtocolError
from schemas.sockets import (
    BARS_SOCKET_PATH,
    SOCKET_PATH,
    BarsServerMessage,
    ClientMessage,
    PredictionsServerMessage,
    ServerMessage,
    Since,
    Subscribe,
)

Read = Callable[[str | bytes], ServerMessage | None]
_MESSAGES = {SOCKET_PATH: PredictionsServerMessage, BARS_SOCKET_PATH: BarsServerMessage}


class _Kind(Struct, frozen=True):
    type: str


def reader(path: str) -> Read:
    """Give a function that reads the messages of a socket: text is JSON, bytes are msgpack.

    The function gives None for a message of a type that this version does not know, and raises `ProtocolError` for
    one of a known type that is not as the schema says.
    """
    messages = _MESSAGES[path]
    known = {message.__struct_config__.tag for message in get_args(messages)}
    from_json, from_msgpack = msgspec.json.Decoder(messages), msgspec.msgpack.Decoder(messages)

    def read(data: str | bytes) -> ServerMessage | None:
        try:
            message: ServerMessage = from_json.decode(data) if isinstance(data, str) else from_msgpack.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if _type_of(data) not in known | {None}:
                return None
            raise ProtocolError(f"{path}: {error}") from error
        return message

    return read


def _type_of(data: str | bytes) -> str | None:
    try:
        if isinstance(data, str):
            return msgspec.json.decode(data, type=_Kind).type
        return msgspec.msgpack.decode(data, type=_Kind).type
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def write(message: ClientMessage) -> str:
    """Give a message as text."""
    return msgspec.json.encode(message).decode()


def fitting(request: Subscribe, maximum_bytes: int) -> Subscribe:
    """Leave out positions until a request is as small as the server wants it; those tickers get a snapshot."""
    while request.since is not None and len(write(request)) > maximum_bytes:  # all of it is ASCII
        kept = list(request.since.seq.items())[: len(request.since.seq) // 2]
        request = replace(request, since=Since(epoch=request.since.epoch, seq=dict(kept)) if kept else None)
    return request
