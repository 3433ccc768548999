"""The order of records: gaps are healed by going back, holes in the log are proved before they are passed."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from feature_stream.continuity import REWIND_EVERY_SECONDS, REWINDS_THAT_PROVE_A_LOSS, Continuity, Verdict


def test_records_in_order_are_taken() -> None:
    continuity = Continuity(5)
    assert [continuity.judge(offset, 0.0) for offset in (5, 6, 7)] == [Verdict.TAKE] * 3
    assert continuity.next_offset == 8


def test_a_record_seen_before_is_skipped() -> None:
    continuity = Continuity(5)
    continuity.judge(5, 0.0)
    assert continuity.judge(5, 0.0) is Verdict.SKIP
    assert continuity.judge(1, 0.0) is Verdict.SKIP
    assert continuity.next_offset == 6


def test_after_a_gap_nothing_is_taken_until_the_wanted_record_comes() -> None:
    continuity = Continuity(5)
    assert continuity.judge(8, 0.0) is Verdict.REWIND
    assert continuity.judge(9, 0.1) is Verdict.SKIP
    assert continuity.waiting
    assert continuity.judge(5, 0.2) is Verdict.TAKE
    assert not continuity.waiting
    assert continuity.judge(6, 0.2) is Verdict.TAKE


def test_a_rewind_is_tried_again_only_after_its_time() -> None:
    continuity = Continuity(5)
    assert not continuity.rewind_due(100.0)
    continuity.judge(8, 0.0)
    assert not continuity.rewind_due(REWIND_EVERY_SECONDS * 0.9)
    assert continuity.rewind_due(REWIND_EVERY_SECONDS)
    assert not continuity.rewind_due(REWIND_EVERY_SECONDS * 1.5)


def test_a_hole_is_passed_only_after_three_rewinds_that_give_the_same_record() -> None:
    continuity = Continuity(5)
    continuity.judge(50, 0.0)
    now = 0.0
    for _ in range(REWINDS_THAT_PROVE_A_LOSS):
        assert continuity.pass_loss() == 0
        continuity.judge(20, now)
        continuity.judge(21, now)
        now += REWIND_EVERY_SECONDS
        assert continuity.rewind_due(now)
    assert continuity.pass_loss() == 15
    assert continuity.next_offset == 20
    assert continuity.judge(20, now) is Verdict.TAKE
    assert continuity.pass_loss() == 0


def test_rewinds_that_give_nothing_prove_nothing() -> None:
    continuity = Continuity(5)
    continuity.judge(50, 0.0)
    for attempt in range(1, 20):
        assert continuity.rewind_due(attempt * REWIND_EVERY_SECONDS)
        assert continuity.pass_loss() == 0


def test_what_lies_before_the_logs_first_record_is_lost_at_once() -> None:
    continuity = Continuity(5)
    continuity.judge(50, 0.0)
    assert continuity.pass_to(3) == 0
    assert continuity.pass_to(20) == 15
    assert continuity.judge(20, 0.1) is Verdict.TAKE
    assert not continuity.waiting


def _log_reader(first: int, end: int, drops: list[int]) -> Iterator[int]:
    """Yield offsets of a log as a consumer would that loses the listed reads once each."""
    yield from (offset for offset in range(first, end) if offset not in drops)


@given(st.lists(st.integers(0, 99), max_size=20, unique=True), st.integers(1, 100))
def test_whatever_a_consumer_drops_every_record_is_taken_once_and_in_order(drops: list[int], end: int) -> None:
    continuity = Continuity(0)
    taken: list[int] = []
    position, now, lost = 0, 0.0, list(drops)
    while continuity.next_offset < end:
        rewind = False
        for offset in _log_reader(position, end, lost):
            verdict = continuity.judge(offset, now)
            if verdict is Verdict.TAKE:
                taken.append(offset)
            rewind = rewind or verdict is Verdict.REWIND
        lost = lost[1:]
        now += REWIND_EVERY_SECONDS
        continuity.rewind_due(now)
        position = continuity.next_offset
    assert taken == list(range(end))
