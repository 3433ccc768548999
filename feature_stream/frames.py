"""Frames as they come from the log: what can be understood is kept, what cannot is named."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from feature_stream.tick_columns import LEAST_TICKS, TickColumns
from feature_stream.ticks import EARLIEST_NS, LATEST_NS, BadTick, all_good, all_tickers, reason_against
from schemas.codec import UndecodableError, decoder, encode
from schemas.events import TickFrame

_COLUMNS = ("tickers", "times_ns", "prices", "sizes")
#: What applies once, and so is not told again with a bad tick of the frame.
_ONCE: dict[str, Any] = {"watermark_ns": None, "rescaled": {}, "lost_before_ns": None}
#: What a bad tick's frame keeps of the frame that it came in.
_HEADER = tuple(name for name in TickFrame.__struct_fields__ if name not in (*_COLUMNS, *_ONCE))
#: From, and up to but not including.
_RANGES = {
    "sequence": (0, 2**63),
    "ingested_at_ns": (0, 2**63),
    "watermark_ns": (EARLIEST_NS, LATEST_NS),
    "lost_before_ns": (EARLIEST_NS, LATEST_NS),
}
#: A source's name stands in every partition's record and in every bar, and all three texts in every dead letter.
_LONGEST_TEXT = 255
#: No split is larger.
_LARGEST_FACTOR = 1_000_000.0

_decode_strictly = decoder(TickFrame)


@dataclass(frozen=True, slots=True)
class CheckedFrame:
    """A frame whose ticks are all sound by themselves.

    Attributes:
        frame: The good ticks.
        bad: The others.
        indexes: Of each good tick in the original frame; None: nothing was taken out.
        original: The frame as it came; a mapping where it is no `TickFrame`; None: `frame` is it.
        columns: Of the good ticks, where they were made.
    """

    frame: TickFrame
    bad: tuple[BadTick, ...] = ()
    indexes: tuple[int, ...] | None = None
    original: TickFrame | Mapping[str, Any] | None = None
    columns: TickColumns | None = None

    @property
    def ingested_at_ns(self) -> int:
        """Give the wall time at which the ingestor made the frame."""
        return self.frame.ingested_at_ns


def read_frame(value: bytes | None) -> CheckedFrame:
    """Read a frame; of one with bad ticks, the good ones. Unknown fields are ignored.

    Raises:
        UndecodableError: It is no frame, and the text says why: no JSON, a field missing or wrong, columns of
            unequal length.
    """
    try:
        frame = _decode_strictly(value)
    except UndecodableError as error:
        return _read_leniently(value, error)
    columns = (frame.tickers, frame.times_ns, frame.prices, frame.sizes)
    _require_sound_header(frame, columns)
    if len(frame.tickers) >= LEAST_TICKS:
        sound = _sound_columns(frame)
        if sound is not None:
            return CheckedFrame(frame, columns=sound)
    elif all_good(*columns):
        return CheckedFrame(frame)
    return _without_bad_ticks(frame, columns, frame)


def bad_tick_value(frame: CheckedFrame, index: int) -> bytes:
    """Write a frame with only one tick, with its original values, for `dead-letters`.

    Args:
        frame: The frame that the tick came in.
        index: Of the tick in the original frame.
    """
    original = frame.frame if frame.original is None else frame.original
    if isinstance(original, TickFrame):
        columns = {name: [getattr(original, name)[index]] for name in _COLUMNS}
        return encode(msgspec.structs.replace(original, **_ONCE, **columns))
    header = {name: original[name] for name in _HEADER if name in original}
    columns = {name: [original[name][index]] for name in _COLUMNS}
    return json.dumps({**header, **columns}).encode()


def _sound_columns(frame: TickFrame) -> TickColumns | None:
    """Give a frame's columns if all of its ticks are sound."""
    try:
        columns = TickColumns.of(frame)
    except OverflowError:
        return None
    return columns if columns.all_sound() and all_tickers(frame.tickers) else None


def _read_leniently(value: bytes | None, strict_error: UndecodableError) -> CheckedFrame:
    document = _load_json(value, strict_error)
    missing = [name for name in _COLUMNS if not isinstance(document.get(name), list)]
    if missing:
        raise UndecodableError(f"TickFrame: `{missing[0]}` is missing or no list") from strict_error
    try:
        header = msgspec.convert({**document, **{name: [] for name in _COLUMNS}}, TickFrame)
        header.source.encode()
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise UndecodableError(f"TickFrame: {error}") from error
    columns = tuple(document[name] for name in _COLUMNS)
    _require_sound_header(header, columns)
    return _without_bad_ticks(header, columns, document)


def _load_json(value: bytes | None, strict_error: UndecodableError) -> dict[str, Any]:
    try:
        document = json.loads(value or b"")
    except (ValueError, RecursionError):
        raise strict_error from None
    if not isinstance(document, dict):
        raise strict_error
    return document


def _require_sound_header(frame: TickFrame, columns: tuple[Sequence[Any], ...]) -> None:
    lengths = [len(column) for column in columns]
    if lengths != [lengths[0]] * len(lengths):
        said = ", ".join(f"`{name}` {length}" for name, length in zip(_COLUMNS, lengths, strict=True))
        raise UndecodableError(f"TickFrame: the columns differ in length: {said}")
    for name in ("source", "position", "provider"):
        length = len(getattr(frame, name))
        if length > _LONGEST_TEXT:
            raise UndecodableError(f"TickFrame: `{name}` has {length} characters; give it up to {_LONGEST_TEXT}")
    for name, (first, end) in _RANGES.items():
        number = getattr(frame, name)
        if number is not None and not first <= number < end:
            raise UndecodableError(f"TickFrame: `{name}` is {number}; give a number from {first} to {end - 1}")
    for ticker, factor in frame.rescaled.items():
        if not 1 / _LARGEST_FACTOR <= factor <= _LARGEST_FACTOR:
            raise UndecodableError(f"TickFrame: `rescaled` of {ticker[:32]!r} is {factor}: no split is like that")


def _without_bad_ticks(
    header: TickFrame, columns: tuple[Sequence[Any], ...], original: TickFrame | Mapping[str, Any]
) -> CheckedFrame:
    ticks = list(zip(*columns, strict=True))
    reasons = [reason_against(*tick) for tick in ticks]
    good = [index for index, reason in enumerate(reasons) if reason is None]
    frame = msgspec.structs.replace(
        header,
        tickers=[ticks[index][0] for index in good],
        times_ns=[ticks[index][1] for index in good],
        prices=[float(ticks[index][2]) for index in good],
        sizes=[float(ticks[index][3]) for index in good],
    )
    bad = tuple(BadTick(index, reason) for index, reason in enumerate(reasons) if reason is not None)
    return CheckedFrame(frame, bad, tuple(good), original)
