"""Frames from the log: what is understood, what is not, and what of a bad one is kept."""

import json
from typing import Any

import hypothesis.strategies as some
import msgspec
import pytest
from hypothesis import given, settings

from feature_stream.frames import bad_tick_value, read_frame
from feature_stream.ticks import EARLIEST_NS, LATEST_NS, Reason
from schemas.codec import UndecodableError, encode
from schemas.events import Origin, TickFrame
from tests.feature_stream.runs import Run, at, frame

GOOD: dict[str, Any] = {
    "source": "s",
    "sequence": 3,
    "position": "line 7",
    "tickers": ["A", "B", "C"],
    "times_ns": [at(0), at(0), at(1)],
    "prices": [10.0, 20, 30.5],
    "sizes": [1, 0.0, 2.5],
    "ingested_at_ns": 17,
    "origin": "filled",
    "watermark_ns": at(2),
}


def written(**changes: Any) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


def with_value(column: str, index: int, value: Any) -> bytes:
    values = list(GOOD[column])
    values[index] = value
    return written(**{column: values})


def test_a_good_frame_comes_back_as_it_was_sent() -> None:
    sent = frame([("A", 0.5, 10, 1), ("B", 0.6, 20, 0)], sequence=4, watermark=1, origin=Origin.REPEAT)
    read = read_frame(encode(sent))
    assert read.frame == sent
    assert (read.bad, read.ingested_at_ns) == ((), 0)


def test_an_empty_frame_with_a_watermark_is_good() -> None:
    sent = frame(watermark=5)
    assert read_frame(encode(sent)).frame == sent


def test_unknown_fields_are_ignored_also_beside_a_bad_tick() -> None:
    assert read_frame(written(colour="red")).bad == ()
    read = read_frame(with_value("prices", 1, None)[:-1] + b', "colour": "red"}')
    assert len(read.bad) == 1


BAD_VALUES: list[tuple[str, Any, Reason]] = [
    ("tickers", "aapl", Reason.TICKER),
    ("tickers", "", Reason.TICKER),
    ("tickers", "A\n", Reason.TICKER),
    ("tickers", "ABCDEFGHIJK", Reason.TICKER),
    ("tickers", "\ud800", Reason.TICKER),
    ("tickers", None, Reason.TICKER),
    ("tickers", 7, Reason.TICKER),
    ("times_ns", None, Reason.TIME),
    ("times_ns", 1.5, Reason.TIME),
    ("times_ns", True, Reason.TIME),
    ("times_ns", "2024-01-01", Reason.TIME),
    ("times_ns", EARLIEST_NS - 1, Reason.TIME),
    ("times_ns", LATEST_NS, Reason.TIME),
    ("times_ns", 10**30, Reason.TIME),
    ("prices", float("nan"), Reason.PRICE),
    ("prices", float("inf"), Reason.PRICE),
    ("prices", 0, Reason.PRICE),
    ("prices", -1.0, Reason.PRICE),
    ("prices", 1e-300, Reason.PRICE),
    ("prices", 1e300, Reason.PRICE),
    ("prices", 10**400, Reason.PRICE),
    ("prices", None, Reason.PRICE),
    ("prices", "10.0", Reason.PRICE),
    ("prices", True, Reason.PRICE),
    ("prices", [10.0], Reason.PRICE),
    ("sizes", float("nan"), Reason.SIZE),
    ("sizes", float("-inf"), Reason.SIZE),
    ("sizes", -0.5, Reason.SIZE),
    ("sizes", 1e19, Reason.SIZE),
    ("sizes", None, Reason.SIZE),
    ("sizes", {}, Reason.SIZE),
]


@pytest.mark.parametrize(("column", "value", "reason"), BAD_VALUES)
@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_bad_tick_is_named_and_the_good_ones_beside_it_are_kept(
    column: str, value: Any, reason: Reason, index: int
) -> None:
    read = read_frame(with_value(column, index, value))
    assert [(bad.index, bad.reason) for bad in read.bad] == [(index, reason)]
    kept = [place for place in range(3) if place != index]
    assert read.indexes == tuple(kept)
    for name in ("tickers", "times_ns", "prices", "sizes"):
        assert getattr(read.frame, name) == [GOOD[name][place] for place in kept]
    assert all(isinstance(number, float) for number in [*read.frame.prices, *read.frame.sizes])
    assert (read.frame.sequence, read.frame.watermark_ns, read.frame.origin) == (3, at(2), Origin.FILLED)


@pytest.mark.parametrize(("column", "value", "reason"), BAD_VALUES)
def test_a_dead_letter_is_a_frame_with_only_that_tick_and_its_original_values(
    column: str, value: Any, reason: Reason
) -> None:
    read = read_frame(with_value(column, 1, value))
    letter = json.loads(bad_tick_value(read, 1))
    for name in ("tickers", "times_ns", "prices", "sizes"):
        expected = [value] if name == column else [GOOD[name][1]]
        assert repr(letter[name]) == repr(expected) or letter[name] == expected
    assert (letter["source"], letter["sequence"], letter["position"]) == ("s", 3, "line 7")
    assert letter.get("watermark_ns") is None
    again = read_frame(bad_tick_value(read, 1))
    assert [(bad.index, bad.reason) for bad in again.bad] == [(0, reason)]


def test_a_dead_letter_of_a_late_tick_can_be_read_again() -> None:
    run, sent = Run(), frame([("A", 0.5, 10, 1), ("A", 1.5, 11, 1), ("A", 0.7, 12, 1)], watermark=9)
    (bad,) = run.take(sent).bad
    letter = msgspec.json.decode(bad_tick_value(read_frame(encode(sent)), bad.index), type=TickFrame)
    assert letter == frame([("A", 0.7, 12, 1)])


def test_indexes_of_late_ticks_are_those_of_the_frame_as_it_came() -> None:
    run = Run()
    run.send(("A", 5, 10, 1))
    value = written(source="t", prices=[float("nan"), 20, 30.5], tickers=["B", "A", "C"])
    absorbed = run.take(read_frame(value))
    assert [(bad.index, bad.reason) for bad in absorbed.bad] == [(0, Reason.PRICE), (1, Reason.LATE)]
    assert absorbed.touched == ["C"]
    assert json.loads(bad_tick_value(read_frame(value), 1))["tickers"] == ["A"]


def test_of_a_frame_with_only_bad_ticks_the_watermark_still_counts() -> None:
    run = Run()
    run.send(("A", 0.5, 10, 1))
    absorbed = run.take(read_frame(written(sequence=9, prices=[None, None, None])))
    assert len(absorbed.bad) == 3
    assert [bar.start_ns for bar in run.bars] == [at(0)]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (None, "empty"),
        (b"", "truncated"),
        (b"\x00\xff\xfe garbage", "malformed|invalid"),
        (b"[1, 2]", "object"),
        (b"null", "object"),
        (b"[" * 100_000, "nested|Expected"),
        (b'{"source": ' + b"[" * 100_000, "nested|Expected"),
        (b'{"unknown": ' + b"[" * 100_000, "nested too deeply"),
        (written()[:-10], "truncated"),
        (written(source=None), "source"),
        (written(source="\ud800"), "surrogates|malformed"),
        (written(sequence="3"), "sequence"),
        (written(sequence=2**63), "sequence"),
        (written(sequence=None), "sequence"),
        (written(ingested_at_ns=2**70), "ingested_at_ns"),
        (written(watermark_ns=-(2**70)), "watermark_ns"),
        (written(watermark_ns="soon"), "watermark_ns"),
        (written(watermark_ns=LATEST_NS), "`watermark_ns` is .*; give a number from"),
        (written(sequence=-1), "`sequence` is -1; give a number from 0"),
        (written(position="p" * 256), "`position` has 256 characters; give it up to 255"),
        (written(origin="martian"), "origin"),
        (written(prices=[10.0, 20.0]), "`prices` 2"),
        (written(prices=[10.0, None]), "`prices` 2"),
        (written(prices=None), "`prices` is missing"),
        (written(tickers="A"), "`tickers` is missing or no list"),
        (written(prices=[10, None, 3], source=5), "source"),
    ],
)
def test_what_is_no_frame_is_undecodable_and_says_why(value: bytes | None, says: str) -> None:
    with pytest.raises(UndecodableError, match=says):
        read_frame(value)


def test_letters_of_a_frame_repeat_neither_long_texts_nor_unknown_fields() -> None:
    read = read_frame(written(prices=[None, 1.0, 1.0], note="n" * 100_000))
    [bad] = read.bad
    assert len(bad_tick_value(read, bad.index)) < 1_000


@pytest.mark.parametrize("name", ["source", "sequence", "position", "tickers", "prices", "ingested_at_ns"])
def test_a_missing_field_is_named(name: str) -> None:
    rest = {key: value for key, value in GOOD.items() if key != name}
    with pytest.raises(UndecodableError, match=name):
        read_frame(json.dumps(rest).encode())


anything = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=3) | some.just("A"),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=2), inner, max_size=2),
    max_leaves=4,
)


@given(some.dictionaries(some.sampled_from(list(GOOD)), some.lists(anything, max_size=3) | anything))
@settings(max_examples=120, deadline=None)
def test_whatever_comes_is_read_or_refused_and_what_is_read_can_be_absorbed(changes: dict[str, Any]) -> None:
    try:
        read = read_frame(json.dumps({**GOOD, **changes}).encode())
    except UndecodableError:
        return
    run = Run()
    absorbed = run.take(read)
    assert absorbed.ticks_absorbed + len(absorbed.bad) == len({**GOOD, **changes}["prices"])
    run.through_snapshots()
    for event in [*run.bars, *run.features]:
        assert msgspec.json.decode(encode(event), type=type(event)) == event


@given(some.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_no_bytes_raise_anything_but_undecodable(value: bytes) -> None:
    with pytest.raises(UndecodableError):
        read_frame(value)
