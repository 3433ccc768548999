"""What cannot be understood is kept, with where it came from and why."""

from dataclasses import dataclass

from schemas.codec import Headers

#: Of key and value together, and of the reason: with its headers a letter must fit into a record of 1 MB, or it could
#: never be sent, and who met the bad record would meet it again for ever.
LARGEST_BYTES = 900_000
LONGEST_REASON = 10_000

#: The source of ticks that are replayed from `dead-letters`. No ingestor may have it.
REPLAY_SOURCE = "dead-letters"


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A record for `dead-letters`: the original bytes, and headers that say the rest.

    What is too large for a record is cut off, and `reason` says so.

    Attributes:
        origin: The topic without prefix, or `source:NAME` where the ingestor met it.
        offset: In the topic; None where the ingestor met it.
        index: Of the tick in its frame, where only that tick was bad.
        position: The source's own place, like a file's line number.
    """

    value: bytes
    reason: str
    origin: str
    key: bytes | None = None
    partition: int | None = None
    offset: int | None = None
    index: int | None = None
    position: str | None = None

    def __post_init__(self) -> None:
        """Cut off what is too large."""
        key, reason = self.key, self.reason[:LONGEST_REASON]
        size = len(self.value) + len(key or b"")
        if size > LARGEST_BYTES:
            reason = f"{reason} (cut: key and value had {size} bytes)"
            key = None if key is None else key[:LARGEST_BYTES]
            object.__setattr__(self, "value", self.value[: LARGEST_BYTES - len(key or b"")])
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "reason", reason)

    @property
    def id(self) -> str:
        """Name the letter by its place, so that one sent twice is known as one."""
        places = (self.origin, self.partition, self.offset, self.index, self.position)
        return ":".join(str(place) for place in places if place is not None)

    def headers(self) -> Headers:
        """Give the record's headers."""
        named = {
            "id": self.id,
            "origin": self.origin,
            "partition": self.partition,
            "offset": self.offset,
            "index": self.index,
            "position": self.position,
            "reason": self.reason,
        }
        return [(f"dead_letter_{name}", str(value).encode()) for name, value in named.items() if value is not None]
