"""Snapshots, in messages that common clients take, written when the first client takes them."""

from collections.abc import Iterator

from gateway.entries import Entry
from gateway.messages import Message, pack
from schemas.sockets import SNAPSHOT_TICKERS

#: A message larger than this is split further: common clients refuse more than 1 MiB.
SNAPSHOT_BYTES = 786_432


class Chunk:
    """One message of a snapshot; clients that subscribe at the same moment share it.

    Attributes:
        complete: It is the last.
    """

    __slots__ = ("_kind", "_messages", "complete", "entries")

    def __init__(self, kind: str, entries: list[Entry], *, complete: bool) -> None:
        self._kind = kind
        self._messages: dict[bool, Message] = {}
        self.entries = entries
        self.complete = complete

    def message(self, *, packed: bool = False) -> Message:
        """Give the message, made once for each format."""
        made = self._messages.get(packed)
        if made is None:
            json = self._json()
            made = Message(self._kind, pack(json) if packed else json, packed=packed)
            self._messages[packed] = made
        return made

    def _json(self) -> bytes:
        field = b"bars" if self._kind == "bar_snapshot" else b"predictions"
        items = b",".join([entry.item for entry in self.entries])
        complete = b"true" if self.complete else b"false"
        return b'{"type":"%b","%b":[%b],"complete":%b}' % (self._kind.encode(), field, items, complete)


def chunks(kind: str, entries: list[Entry]) -> list[Chunk]:
    """Give at least one chunk; the last is complete."""
    groups = list(_groups(entries))
    return [Chunk(kind, group, complete=number == len(groups)) for number, group in enumerate(groups, 1)]


def _groups(entries: list[Entry]) -> Iterator[list[Entry]]:
    group: list[Entry] = []
    size = 0
    for entry in entries:
        length = len(entry.body)
        if group and (len(group) == SNAPSHOT_TICKERS or size + length > SNAPSHOT_BYTES):
            yield group
            group, size = [], 0
        group.append(entry)
        size += length
    yield group
