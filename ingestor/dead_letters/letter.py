"""A dead letter as it is read back from `dead-letters`."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from schemas.dead_letters import REPLAY_SOURCE
from schemas.topics import DEAD_LETTERS, TICKS

#: The origin of what an ingestor refused begins so.
REFUSED_BY_INGESTOR = "source:"
LATE = "late"
EARLY = "early"

#: What reasons may begin with, where no colon ends it.
_FIELDS = frozenset({"ticker", "time", "price", "size"})

_PREFIX = "dead_letter_"

#: A header's value as Kafka clients give it.
HeaderValue = str | bytes | None


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A record of `dead-letters`; the fields are those of `schemas.dead_letters.DeadLetter`, and more.

    Attributes:
        at_ns: When it was written, by the record's timestamp.
        headers: All of them.
    """

    id: str
    reason: str
    origin: str
    value: bytes
    at_ns: int
    partition: int | None = None
    offset: int | None = None
    index: int | None = None
    position: str | None = None
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)

    @property
    def from_ticks(self) -> bool:
        """Tell whether the feature stage refused it."""
        return self.origin == TICKS.name

    @cached_property
    def document(self) -> Mapping[str, Any]:
        """Give its value as JSON, read with every leniency; empty where it is none, or no object."""
        try:
            document = json.loads(self.value)
        except (ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}

    @property
    def tickers(self) -> list[str]:
        """Give the tickers that it speaks of, each once, as far as they can be read."""
        named = self.document.get("tickers", [self.document.get("ticker")])
        texts = [text for text in named if isinstance(text, str)] if isinstance(named, list) else []
        return list(dict.fromkeys(texts))

    @property
    def replayed_before(self) -> bool:
        """Tell whether what is in it came from a replay already."""
        return self.from_ticks and self.document.get("source") == REPLAY_SOURCE

    @property
    def kind(self) -> str:
        """Give the reason's kind, one of few words; of the stage's, the same as the metric's."""
        head = self.reason.split(":", maxsplit=1)[0]
        word = head.split(" ", maxsplit=1)[0]
        if word == head:
            return head
        return word if word in _FIELDS else "other"


def read_letter(
    headers: Iterable[tuple[str, HeaderValue]] | None,
    key: bytes | None,
    value: bytes | None,
    place: tuple[int, int],
    at_ns: int,
) -> Letter:
    """Read a record; one without our headers is named by its own place.

    Args:
        place: Partition and offset in `dead-letters`.
    """
    all_headers = tuple((name, _bytes(given)) for name, given in headers or ())
    ours = {
        name.removeprefix(_PREFIX): given.decode("utf-8", "backslashreplace")
        for name, given in all_headers
        if name.startswith(_PREFIX)
    }
    return Letter(
        id=ours.get("id") or f"{DEAD_LETTERS.name}:{place[0]}:{place[1]}",
        reason=ours.get("reason", ""),
        origin=ours.get("origin", ""),
        value=value or b"",
        at_ns=at_ns,
        partition=_number(ours.get("partition")),
        offset=_number(ours.get("offset")),
        index=_number(ours.get("index")),
        position=ours.get("position"),
        key=key,
        headers=all_headers,
    )


def _bytes(given: HeaderValue) -> bytes:
    return given.encode() if isinstance(given, str) else given or b""


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
