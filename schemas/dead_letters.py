"""What cannot be understood is kept, with where it came from and why."""

from dataclasses import dataclass

from schemas.codec import Headers


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A record for `dead-letters`: the original bytes, and headers that say the rest.

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
