"""Messages to clients, written and framed once however many clients get them."""

import msgspec
from msgspec import Struct

from gateway.followed import Followed

_TEXT = 0x81
_BINARY = 0x82


class Message:
    """One message, ready to be sent.

    Attributes:
        kind: Its `type`.
        frame: An uncompressed WebSocket frame of a server (RFC 6455, 5.2).
        packed: It is msgpack, and goes out as a binary message.
        mark: Where the stream stands after it, for `Stream.after_mark`; empty where it says nothing of that.
        followed: The prediction in it, where its trace is followed.
    """

    __slots__ = ("_head_bytes", "followed", "frame", "kind", "mark", "packed")

    def __init__(
        self, kind: str, payload: bytes, *, packed: bool = False, mark: str = "", followed: Followed | None = None
    ) -> None:
        head = _head(_BINARY if packed else _TEXT, len(payload))
        self.kind = kind
        self.frame = head + payload
        self.packed = packed
        self.mark = mark
        self.followed = followed
        self._head_bytes = len(head)

    @property
    def payload(self) -> bytes:
        """Give the JSON or msgpack, copied out of the frame, which most clients want."""
        return self.frame[self._head_bytes :]


def _head(first: int, length: int) -> bytes:
    if length < 126:
        return bytes((first, length))
    if length < 65_536:
        return bytes((first, 126)) + length.to_bytes(2, "big")
    return bytes((first, 127)) + length.to_bytes(8, "big")


def message_of(struct: Struct) -> Message:
    """Write a message of one client."""
    return Message(str(struct.__struct_config__.tag), msgspec.json.encode(struct))


def pack(json: bytes) -> bytes:
    """Give JSON as msgpack."""
    return msgspec.msgpack.encode(msgspec.json.decode(json))
