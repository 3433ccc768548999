"""What a letter becomes: decided without a broker, held against what the feature stage takes."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_stream.frames import bad_tick_value, read_frame
from feature_stream.ticks import Reason, reason_against
from ingestor.dead_letters.letter import EARLY, LATE, Letter
from ingestor.dead_letters.plan import RefusedError, plan
from ingestor.dead_letters.sound import tick_problem
from schemas.codec import encode
from schemas.dead_letters import REPLAY_SOURCE, DeadLetter
from schemas.events import Origin, TickFrame
from schemas.partitioning import partition_of
from tests.ingestor.letters import letter_of, tick_frame

_PARTITIONS = 4
_NOW_NS = 77
_TIME_NS = 1_700_000_000 * 10**9
_GOOD = ("AAPL", _TIME_NS, 10.0, 1.0)

_tickers = st.sampled_from(["AAPL", "IBM", "MSFT", "BRK.B", "aapl", "", "TOOLONGNAME"])
_times_ns = st.integers(-(2**63), 2**63) | st.just(_TIME_NS)
_numbers = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, 1e-12, 1e15, 1e18, 10.0])
_ticks = st.lists(st.tuples(_tickers, _times_ns, _numbers, _numbers), max_size=8)


def _letter(value: bytes, reason: str = "undecodable: x", index: int | None = None, origin: str = "ticks") -> Letter:
    return letter_of(DeadLetter(value=value, reason=reason, origin=origin, partition=2, offset=9, index=index))


def _tick_letter(*ticks: Any, reason: str = "partition: y", source: str = "market") -> Letter:
    return _letter(encode(tick_frame(*ticks, source=source, origin=Origin.SIMULATED)), reason, 3)


@given(_tickers, _times_ns, _numbers, _numbers)
def test_the_bounds_are_those_of_the_stage(ticker: str, time_ns: int, price: float, size: float) -> None:
    problem, reason = tick_problem(ticker, time_ns, price, size), reason_against(ticker, time_ns, price, size)
    assert (problem is None) == (reason is None)
    if problem is not None and reason is not None:
        assert problem.removeprefix("times_ns").removeprefix(reason.split(":")[0]) != problem, "the same field"


def test_the_words_for_late_and_early_are_those_of_the_stage() -> None:
    assert (LATE, EARLY) == (Reason.LATE, Reason.EARLY)


@given(_ticks)
def test_what_is_sent_is_good_for_the_stage_and_lies_on_its_tickers_partition_and_the_rest_is_named(
    ticks: list[tuple[str, int, float, float]],
) -> None:
    bad = [tick for tick in ticks if reason_against(*tick) is not None]
    try:
        planned = plan(_letter(encode(tick_frame(*ticks))), _PARTITIONS, _NOW_NS)
    except RefusedError:
        assert len(bad) == len(ticks)
        return
    assert len(planned.left) == len(bad)
    sent = []
    for part in planned.parts:
        checked = read_frame(encode(part.frame))
        assert not checked.bad
        assert {partition_of(ticker, _PARTITIONS) for ticker in checked.frame.tickers} == {part.partition}
        sent += list(
            zip(*(getattr(checked.frame, name) for name in ("tickers", "times_ns", "prices", "sizes")), strict=True)
        )
    assert sorted(sent) == sorted(tick for tick in ticks if tick not in bad)


def test_a_replayed_frame_keeps_the_origin_and_nothing_else_of_its_header() -> None:
    written = msgspec.structs.replace(tick_frame(_GOOD, sequence=5, origin=Origin.SIMULATED), watermark_ns=_TIME_NS)
    (part,) = plan(_letter(encode(written), "partition: y", 3), _PARTITIONS, _NOW_NS).parts
    assert part.frame == TickFrame(
        source=REPLAY_SOURCE,
        sequence=0,
        position="ticks:2:9:3",
        tickers=["AAPL"],
        times_ns=[_TIME_NS],
        prices=[10.0],
        sizes=[1.0],
        ingested_at_ns=_NOW_NS,
        origin=Origin.SIMULATED,
    )
    assert part.partition == partition_of("AAPL", _PARTITIONS) != 2, "mended"


@pytest.mark.parametrize(
    "change", [{"sequence": -1}, {"position": "p" * 300}, {"ingested_at_ns": -5}, {"watermark_ns": 2**62}]
)
def test_a_frame_that_the_stage_refused_whole_for_its_header_can_be_replayed(change: dict[str, Any]) -> None:
    refused = msgspec.structs.replace(tick_frame(_GOOD), **change)
    (part,) = plan(_letter(encode(refused)), _PARTITIONS, _NOW_NS).parts
    assert not read_frame(encode(part.frame)).bad


@pytest.mark.parametrize(
    ("letter", "said"),
    [
        (_letter(b"garbage"), r"cannot be read: TickFrame: JSON is malformed.*correct it where it comes from"),
        (_letter(b""), "cannot be read"),
        (_letter(encode(tick_frame())), "holds no tick"),
        (_letter(b"a,b", "row: x", origin="source:file"), r"the ingestor refused it.*\(file\)"),
        (_letter(encode(tick_frame(_GOOD)), "x", origin="features"), r"only letters of `ticks`.*not of features"),
        (letter_of(DeadLetter(value=encode(tick_frame(_GOOD)), reason="x", origin="ticks")), "do not say where"),
        (
            _tick_letter(("AAPL", _TIME_NS, -1.0, 1.0)),
            r"still bad: price -1.0: give a number from 1e-12 to 1e\+15; corr",
        ),
        (_tick_letter(("aapl", _TIME_NS, 1.0, 1.0)), r"still bad: ticker 'aapl' is no symbol: give one in upper case"),
        (_tick_letter(("AAPL", 2**80, 1.0, 1.0)), r"still bad: times_ns \d+: give nanoseconds"),
        (_tick_letter(("AAPL", _TIME_NS, 1.0, -2.0)), r"still bad: size -2.0: give a number from 0"),
    ],
)
def test_what_cannot_be_replayed_is_refused_with_the_field_and_the_fix_whatever_is_forced(
    letter: Letter, said: str
) -> None:
    for force in (False, True):
        with pytest.raises(RefusedError, match=said) as refused:
            plan(letter, _PARTITIONS, _NOW_NS, force=force)
        assert not refused.value.force_helps


@pytest.mark.parametrize("price", [float("nan"), None, "ten", True])
def test_a_price_that_is_no_number_is_refused_by_its_field(price: Any) -> None:
    document = msgspec.to_builtins(tick_frame(_GOOD))
    frame = read_frame(json.dumps(document | {"prices": [price]}).encode())
    value = bad_tick_value(frame, 0)
    with pytest.raises(RefusedError, match=r"cannot be read: TickFrame: .*\(said then: price: not a positive"):
        plan(_letter(value, frame.bad[0].reason, 0), _PARTITIONS, _NOW_NS)


def test_columns_of_unequal_length_are_said() -> None:
    frame = msgspec.structs.replace(tick_frame(_GOOD), prices=[])
    with pytest.raises(RefusedError, match=r"differ in length \(tickers 1, times_ns 1, prices 0, sizes 1\)"):
        plan(_letter(encode(frame)), _PARTITIONS, _NOW_NS)


@pytest.mark.parametrize(
    "letter",
    [_tick_letter(_GOOD, reason=LATE), _tick_letter(_GOOD, reason=EARLY), _tick_letter(_GOOD, source=REPLAY_SOURCE)],
)
def test_late_and_early_ticks_and_those_of_a_replay_are_sent_only_by_force(letter: Letter) -> None:
    with pytest.raises(RefusedError, match="--force") as refused:
        plan(letter, _PARTITIONS, _NOW_NS)
    assert refused.value.force_helps
    assert plan(letter, _PARTITIONS, _NOW_NS, force=True).parts


def test_what_was_late_in_a_replay_is_late_for_ever_and_no_force_sends_it_round_again() -> None:
    with pytest.raises(RefusedError, match="late for ever") as refused:
        plan(_tick_letter(_GOOD, reason=LATE, source=REPLAY_SOURCE), _PARTITIONS, _NOW_NS, force=True)
    assert not refused.value.force_helps
