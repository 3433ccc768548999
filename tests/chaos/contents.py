"""What was said, by id: a digest of each content instead of the content, for there may be millions."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from confluent_kafka import Message
from msgspec import Struct, structs

from schemas.codec import encode
from schemas.events import Bar, Features, Prediction
from tests.contents import NOT_CONTENT

#: Numbers from models are equal to this.
TOLERANCE = 1e-6


def digest(event: Struct) -> bytes:
    """Stand for what must be the same wherever the event's id stands, to the bit."""
    nothing = {name: 0 for name in event.__struct_fields__ if name in NOT_CONTENT}
    return hashlib.blake2b(encode(structs.replace(event, **nothing)), digest_size=16).digest()


@dataclass
class _SaidFirst:
    """What was said first of each id, and what contradicts it.

    Attributes:
        first: By id.
        repeats: Records that speak of an id again.
        contradictions: A text for each thing in which one of them differs.
    """

    first: dict[str, bytes] = field(default_factory=dict)
    repeats: int = 0
    contradictions: list[str] = field(default_factory=list)

    def _take(self, key: str, content: bytes, differences: Callable[[bytes, bytes], list[str]]) -> None:
        first = self.first.setdefault(key, content)
        if first is not content:
            self.repeats += 1
            self.contradictions += differences(first, content)


class Said(_SaidFirst):
    """The digests of one topic's events; what contradicts is said by its id."""

    def add(self, event: Any) -> None:
        """Take an event."""
        self._take(event.id, digest(event), lambda first, again: [event.id] * (first != again))


@dataclass
class SaidFeatures:
    """The ids of `features`.

    Attributes:
        places: Of provisional events: the ids by partition and offset of `ticks`, with the ticker.
    """

    finals: Said = field(default_factory=Said)
    provisionals: Said = field(default_factory=Said)
    places: dict[tuple[int, int], set[str]] = field(default_factory=dict)

    def add(self, event: Features) -> None:
        """Take an event."""
        (self.finals if event.final else self.provisionals).add(event)
        if not event.final:
            self.places.setdefault((event.source_partition, event.source_offset), set()).add(event.ticker)


class SaidPredictions(_SaidFirst):
    """The predictions of feature events, as they were written."""

    def add(self, value: bytes) -> None:
        """Take a record's value."""
        self._take(_decode_prediction(value).feature_id, value, prediction_differences)


_decode_bar = msgspec.json.Decoder(Bar).decode
_decode_features = msgspec.json.Decoder(Features).decode
_decode_prediction = msgspec.json.Decoder(Prediction).decode


def said_bars(records: Iterable[Message]) -> Said:
    """Read `bars`."""
    said = Said()
    for record in records:
        said.add(_decode_bar(record.value()))
    return said


def said_features(records: Iterable[Message]) -> SaidFeatures:
    """Read `features`."""
    said = SaidFeatures()
    for record in records:
        said.add(_decode_features(record.value()))
    return said


def said_predictions(records: Iterable[Message]) -> SaidPredictions:
    """Read `predictions` or `predictions-latest`."""
    said = SaidPredictions()
    for record in records:
        said.add(record.value())
    return said


def prediction_differences(first: bytes, again: bytes) -> list[str]:
    """Hold two predictions of one feature event against each other; numbers are equal to 1e-6."""
    said, repeated = (structs.asdict(_decode_prediction(value)) for value in (first, again))
    return [
        f"prediction {said['id']}: {name} is {said[name]!r} and {repeated[name]!r}"
        for name in said.keys() - NOT_CONTENT
        if not nearly_equal(msgspec.to_builtins(said[name]), msgspec.to_builtins(repeated[name]))
    ]


def nearly_equal(one: Any, other: Any) -> bool:
    """Compare documents; floats to `TOLERANCE`, relative where they are large."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= TOLERANCE * max(1.0, abs(one))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(nearly_equal(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(nearly_equal, one, other))
    return bool(one == other)
