"""How ticks become bars: event time, lateness, watermarks, losses."""

import pytest

from feature_stream.advance import Reason, StageRules
from feature_stream.state import MAXIMUM_SOURCES, NEVER_NS, mark_lost
from schemas.errors import StopAndSayError
from schemas.events import Origin
from tests.feature_stream.runs import Run, at, frame, prices_of, rules, spans_of


def test_a_bar_is_the_first_highest_lowest_last_price_and_all_sizes() -> None:
    run = Run()
    run.send(("A", 0.1, 10, 1), ("A", 0.2, 14, 2), ("A", 0.3, 8, 3), ("A", 0.4, 11, 4), ("A", 1.0, 99, 1))
    (bar,) = run.bars
    assert prices_of(bar) == (10, 14, 8, 11, 10)
    assert (bar.start_ns, bar.end_ns, bar.tick_count, bar.bar_index) == (at(0), at(1), 4, 1)
    assert bar.id == "A:1s:2024-01-01T00:00:00Z"
    assert run.features[0].id == "A:1s:2024-01-01T00:00:00Z:final"


def test_open_and_close_follow_event_time_and_ties_arrival() -> None:
    run = Run()
    run.send(("A", 0.5, 10, 1), ("A", 0.2, 20, 1), ("A", 0.2, 21, 1), ("A", 0.5, 11, 1), ("A", 0.4, 12, 1))
    run.send(watermark=1)
    assert prices_of(run.bars[0]) == (20, 21, 10, 11, 5)


def test_a_tick_at_the_end_belongs_to_the_next_bar_and_closes_the_first() -> None:
    run = Run()
    run.send(("A", 0.999_999_999, 10, 1))
    assert run.bars == []
    absorbed = run.send(("A", 1.0, 11, 1))
    assert spans_of(absorbed.bars) == [("A", 0.0)]
    assert run.states["A"].open_bars[0].start_ns == at(1)


def test_where_no_tick_falls_there_is_no_bar() -> None:
    run = Run()
    run.send(("A", 0.5, 10, 1), ("A", 7.5, 11, 1), watermark=100)
    assert spans_of(run.bars) == [("A", 0.0), ("A", 7.0)]
    assert [bar.bar_index for bar in run.bars] == [1, 2]


def test_one_frame_may_close_two_bars_each_before_its_feature_under_one_offset() -> None:
    run = Run()
    absorbed = run.send(("A", 0.5, 10, 1), ("A", 1.5, 11, 1), ("A", 2.5, 12, 1))
    assert [(bar.source_offset, bar.bar_index) for bar in absorbed.bars] == [(0, 1), (0, 2)]
    assert [(event.source_offset, event.bar_index) for event in absorbed.features] == [(0, 1), (0, 2)]
    assert [event.as_of_ns for event in absorbed.features] == [at(1), at(2)]


def test_a_late_tick_is_bad_and_leaves_the_bar_alone() -> None:
    run = Run()
    run.send(("A", 0.5, 10, 1), ("A", 1.5, 11, 1))
    before = run.states["A"].snapshot()
    absorbed = run.send(("A", 0.9, 99, 1))
    assert run.bad == [(1, 0, Reason.LATE)]
    assert (absorbed.touched, absorbed.dirty, absorbed.ticks_absorbed) == ([], set(), 0)
    assert run.states["A"].snapshot() == before


def test_a_tick_made_late_by_its_own_frame_is_bad() -> None:
    run = Run()
    absorbed = run.send(("A", 0.5, 10, 1), ("A", 1.5, 11, 1), ("A", 0.9, 99, 1), ("A", 1.6, 12, 1))
    assert [(bad.index, bad.reason) for bad in absorbed.bad] == [(2, "late")]
    assert absorbed.ticks_absorbed == 3


def test_a_tick_of_an_empty_bar_that_time_has_passed_is_late() -> None:
    run = Run()
    run.send(("A", 0.5, 10, 1), ("A", 5.5, 11, 1))
    run.send(("A", 3.5, 99, 1))
    assert run.bad == [(1, 0, "late")]


def test_lateness_keeps_a_bar_open_and_the_next_one_beside_it() -> None:
    run = Run(rules(lateness=0.5))
    run.send(("A", 0.5, 10, 1), ("A", 1.2, 11, 1), ("A", 0.9, 12, 1))
    assert [bar.start_ns for bar in run.states["A"].open_bars] == [at(0), at(1)]
    run.send(("A", 1.5, 13, 1), ("A", 0.95, 99, 1))
    assert spans_of(run.bars) == [("A", 0.0)]
    assert prices_of(run.bars[0]) == (10, 12, 10, 12, 2)
    assert run.bad == [(1, 1, "late")]


def test_lateness_over_several_bars_closes_them_in_order() -> None:
    run = Run(rules(lateness=3))
    run.send(("A", 3.5, 10, 1), ("A", 1.5, 11, 1), ("A", 0.6, 12, 1), ("A", 2.5, 13, 1))
    assert [bar.start_ns for bar in run.states["A"].open_bars] == [at(0), at(1), at(2), at(3)]
    run.send(("A", 5.5, 14, 1))
    assert spans_of(run.bars) == [("A", 0.0), ("A", 1.0)]
    assert not run.bad


def test_lateness_is_counted_where_no_bar_was_open_too() -> None:
    run = Run(rules(lateness=0.5))
    run.send(("A", 1.2, 10, 1), ("A", 0.9, 11, 1))
    run.send(("A", 1.6, 12, 1), ("A", 0.8, 13, 1))
    assert spans_of(run.bars) == [("A", 0.0)]
    other = Run(rules(lateness=0.5))
    other.send(("A", 1.2, 10, 1), ("A", 1.6, 12, 1), ("A", 0.9, 99, 1))
    assert other.bad == [(0, 2, "late")]


def test_a_watermark_closes_what_ends_at_or_before_it_without_lateness() -> None:
    run = Run(rules(lateness=10))
    run.send(("A", 0.5, 10, 1), ("A", 1.5, 11, 1), ("A", 2.5, 12, 1))
    absorbed = run.send(watermark=2.0)
    assert spans_of(absorbed.bars) == [("A", 0.0), ("A", 1.0)]
    assert absorbed.dirty == {"A"}
    assert absorbed.touched == []
    assert [bar.source_offset for bar in absorbed.bars] == [1, 1]
    assert run.states["A"].offset == 1


def test_a_watermark_applies_after_the_ticks_of_its_frame() -> None:
    run = Run()
    run.send(("A", 0.5, 10, 1), ("A", 0.6, 11, 1), watermark=1.0)
    assert prices_of(run.bars[0]) == (10, 11, 10, 11, 2)
    assert not run.bad


def test_a_watermark_short_of_the_end_closes_nothing() -> None:
    run = Run()
    absorbed = run.send(("A", 0.5, 10, 1), watermark=0.999_999_999)
    assert absorbed.bars == []


def test_a_watermark_speaks_only_for_tickers_whose_last_tick_came_from_its_source() -> None:
    run = Run()
    run.send(("A", 0.5, 10, 1), ("B", 0.5, 20, 1), source="one")
    run.send(("B", 0.6, 21, 1), source="two")
    assert spans_of(run.send(watermark=5, source="one").bars) == [("A", 0.0)]
    assert spans_of(run.send(watermark=5, source="two").bars) == [("B", 0.0)]
    assert run.bars[1].source == "two"


def test_a_tick_behind_its_own_sources_watermark_is_late_even_if_its_bar_was_never_open() -> None:
    run = Run()
    run.send(watermark=5.5)
    run.send(("A", 4.5, 10, 1), ("A", 5.2, 11, 1))
    assert run.bad == [(1, 0, "late")]
    run.send(("B", 4.5, 12, 1), source="other")
    assert len(run.bad) == 1


def test_a_tick_of_a_bar_that_a_watermark_closed_is_late_from_every_source() -> None:
    run = Run()
    run.send(("A", 0.5, 10, 1), watermark=1, source="one")
    run.send(("A", 0.6, 11, 1), source="two")
    assert run.bad == [(1, 0, "late")]


def test_watermarks_never_go_back() -> None:
    run = Run()
    run.send(watermark=5)
    run.send(watermark=3)
    run.send(("A", 4.5, 10, 1))
    assert run.bad == [(2, 0, "late")]


def test_without_a_limit_no_tick_is_early() -> None:
    run = Run()
    run.send(("A", 0.5, 10, 1))
    run.send(("A", 86_400 * 365, 11, 1))
    assert not run.bad


def test_an_early_tick_is_bad_and_moves_no_time() -> None:
    run = Run(rules(early=10))
    run.send(("A", 0.5, 10, 1))
    absorbed = run.send(("A", 11.0, 99, 1), ("A", 12.0, 99, 1), ("A", 0.6, 11, 1))
    assert [(bad.index, bad.reason) for bad in absorbed.bad] == [(0, "early"), (1, "early")]
    assert run.bars == []
    assert run.states["A"].open_bars[0].last_ns == at(0.6)


def test_how_early_a_tick_is_counts_from_its_own_sources_newest_tick_or_watermark() -> None:
    run = Run(rules(early=10))
    run.send(("A", 0.5, 10, 1), source="one")
    run.send(("B", 100, 10, 1), source="two")
    run.send(("A", 10.5, 11, 1), source="one")
    assert not run.bad
    run.send(watermark=200, source="one")
    run.send(("A", 210, 12, 1), source="one")
    assert not run.bad
    run.send(("A", 221, 13, 1), source="one")
    assert run.bad == [(5, 0, "early")]


def test_a_tick_on_a_foreign_partition_is_bad_and_makes_no_state() -> None:
    run = Run(rules(partitions=4))
    run.partition.partition = 1
    run.send(("AAPL", 0.5, 10, 1), ("MSFT", 0.5, 20, 1))
    assert [(index, reason) for _, index, reason in run.bad] == [(1, Reason.PARTITION)]
    assert list(run.states) == ["AAPL"]


def test_the_highest_origin_of_its_ticks_is_the_bars() -> None:
    run = Run()
    run.send(("A", 0.1, 10, 1), origin=Origin.WARM_UP)
    run.send(("A", 0.2, 10, 1), origin=Origin.FILLED)
    run.send(("A", 1.2, 10, 1))
    run.send(watermark=9, origin=Origin.SIMULATED)
    assert [bar.origin for bar in run.bars] == [Origin.WARM_UP, Origin.NORMAL]
    assert [event.origin for event in run.features] == [Origin.WARM_UP, Origin.NORMAL]


def test_times_of_processing_are_the_closing_frames_and_the_clocks() -> None:
    run = Run()
    run.send(("A", 0.1, 10, 1), ingested_at_ns=5)
    run.send(("A", 1.1, 10, 1), ingested_at_ns=7)
    assert (run.bars[0].ingested_at_ns, run.features[0].ingested_at_ns) == (7, 7)
    provisional = run.speak()
    assert provisional is not None
    assert provisional.ingested_at_ns == 7


def test_a_sequence_that_came_before_is_passed_over_whole_and_equal_ticks_under_a_new_one_count() -> None:
    run = Run()
    run.send(("A", 0.1, 10, 1))
    again = run.send(("A", 0.1, 10, 1))
    assert again.ticks_absorbed == 1
    run.send(("A", 0.2, 10, 1))
    before = run.states["A"].snapshot()
    absorbed = run.take(frame([("A", 9, 99, 1), ("A", 0.0, -1, 1)], sequence=2, watermark=50))
    assert absorbed.passed_over
    assert (absorbed.bars, absorbed.bad, absorbed.dirty) == ([], [], set())
    assert run.partition.offset == 3
    assert run.states["A"].snapshot() == before
    assert run.states["A"].open_bars[0].volume == 3


def test_an_offset_absorbed_before_changes_nothing() -> None:
    run = Run()
    run.send(("A", 0.1, 10, 1))
    absorbed = run.take(frame([("A", 0.2, 10, 1)], sequence=1), offset=0)
    assert absorbed.ticks_absorbed == 0
    assert run.partition.sources["s"].sequence == 0


@pytest.mark.parametrize(
    ("others", "said"),
    [
        (rules("1m"), "TICKCAST_INTERVAL is 1m, not 1s"),
        (rules(lateness=1), "TICKCAST_LATENESS_MS is 1000, not 0"),
        (rules(early=2), "TICKCAST_EARLY_MS is 2000, not unset"),
    ],
)
def test_other_rules_over_kept_state_are_refused(others: StageRules, said: str) -> None:
    run = Run()
    run.send(("A", 0.1, 10, 1))
    run.through_snapshots()
    run.send(("A", 0.2, 10, 1))
    run.rules = others
    with pytest.raises(StopAndSayError, match=f"{said}.*--fresh"):
        run.send(("A", 0.2, 10, 1))


def test_bars_open_across_a_loss_are_partial_and_closed_and_later_ones_whole() -> None:
    run = Run()
    run.send(("A", 0.1, 10, 1), ("A", 1.1, 10, 1))
    assert mark_lost(run.states, 5) == ["A"]
    run.partition.offset = 4
    run.send(("A", 1.2, 11, 1), ("A", 2.1, 12, 1), ("A", 3.1, 13, 1))
    assert [bar.partial for bar in run.bars] == [False, True, False]
    assert run.bars[1].id == "A:1s:2024-01-01T00:00:01Z:partial"
    assert [event.partial for event in run.features] == [False, True, False]


def test_a_gap_of_the_source_cuts_the_bars_that_begin_before_its_end_and_no_others() -> None:
    run = Run()
    run.send(("A", 0.1, 10, 1), ("A", 1.1, 10, 1), ("B", 1.2, 20, 1))
    run.send(("C", 1.3, 30, 1), source="other")
    absorbed = run.send(lost_before=3)
    assert absorbed.touched == ["A", "B"], "it is said at once"
    said = run.speak()
    assert said is not None
    assert said.partial
    run.send(("A", 2.5, 11, 1), ("A", 3.0, 12, 1), ("B", 3.1, 20, 1), watermark=4)
    run.send(source="other", watermark=4)
    assert [(bar.ticker, bar.partial) for bar in run.bars] == [
        ("A", False),
        *[("A", True), ("A", True), ("B", True), ("A", False), ("B", False)],
        ("C", False),
    ]


def test_a_bar_that_its_history_completed_before_the_gap_goes_on_is_whole() -> None:
    run = Run()
    run.send(("A", 0.1, 10, 1), watermark=0.5)
    run.send(("A", 0.99, 11, 1), watermark=1, origin=Origin.FILLED)
    run.send(lost_before=2)
    run.send(("A", 2.1, 12, 1), watermark=3)
    assert [bar.partial for bar in run.bars] == [False, False]


def test_a_gap_that_a_state_has_passed_in_an_earlier_life_does_not_cut_it_again() -> None:
    run = Run()
    run.send(("A", 0.1, 10, 1))
    gap = frame(sequence=1, lost_before=1)
    run.states["A"].offset = 1
    assert run.take(gap).touched == []
    assert not run.states["A"].open_bars[0].partial


def test_a_bar_whose_first_ticks_may_be_lost_is_partial_too() -> None:
    run = Run()
    run.send(("A", 0.1, 10, 1), watermark=1)
    run.lose()
    run.send(watermark=1.5)
    run.send(("A", 1.2, 11, 1), ("A", 2.1, 12, 1), watermark=3)
    assert [bar.partial for bar in run.bars] == [False, True, False]


def test_of_a_ticker_first_heard_after_a_loss_too() -> None:
    run = Run()
    run.send(("A", 0.1, 10, 1))
    run.lose()
    run.send(("B", 1.2, 20, 1), ("B", 2.2, 20, 1), watermark=3)
    assert [(bar.ticker, bar.partial) for bar in run.bars] == [("B", True), ("A", False), ("B", False)]


def test_so_is_the_first_bar_of_a_source_that_is_not_heard_from_its_beginning() -> None:
    run = Run()
    run.lose("other")
    run.send(("A", 0.1, 10, 1), ("A", 1.1, 10, 1), source="other", watermark=2)
    run.send(("B", 0.1, 10, 1), source="s", watermark=2)
    assert [(bar.ticker, bar.partial) for bar in run.bars] == [("A", True), ("A", False), ("B", False)]


def test_a_late_tick_of_an_older_bar_does_not_end_the_caution() -> None:
    run = Run(rules(lateness=0.5))
    run.send(("A", 0.9, 10, 1))
    run.lose()
    run.send(("A", 0.95, 11, 1))
    run.send(("A", 1.2, 12, 1), ("A", 2.6, 13, 1), watermark=4)
    assert [bar.partial for bar in run.bars] == [False, True, False]


def test_a_tick_that_is_early_does_not_make_the_caution_endless() -> None:
    run = Run(rules(early=10))
    run.send(("A", 0.1, 10, 1))
    run.lose()
    run.send(("A", 9_999, 11, 1), ("A", 1.1, 11, 1), ("A", 2.1, 11, 1), watermark=3)
    assert [bar.partial for bar in run.bars] == [False, True, False]


def test_sources_long_silent_are_forgotten_so_that_the_record_stays_small() -> None:
    run = Run()
    for number in range(MAXIMUM_SOURCES):
        run.send(("A", 0.1, 10, 1), source=f"source-{number}")
    run.send(("A", 0.1, 10, 1), source="source-0")
    run.send(("A", 0.1, 10, 1), source="another")
    assert len(run.partition.sources) == MAXIMUM_SOURCES
    assert "source-0" in run.partition.sources
    assert "source-1" not in run.partition.sources


def test_a_state_that_passed_the_loss_in_an_earlier_life_stays_as_it_is() -> None:
    run = Run()
    run.send(("A", 0.1, 10, 1))
    run.send(("B", 0.1, 10, 1))
    before = run.states["B"].snapshot()
    assert mark_lost(run.states, 1) == ["A"]
    assert run.states["B"].snapshot() == before


def test_a_provisional_word_after_a_loss_says_partial() -> None:
    run = Run()
    run.send(("A", 0.1, 10, 1))
    mark_lost(run.states, 1)
    said = run.speak()
    assert said is not None
    assert said.partial


def test_a_ticker_without_an_open_bar_has_nothing_provisional_to_say() -> None:
    run = Run()
    run.send(("A", 0.1, 10, 1))
    run.send(watermark=5)
    assert run.states["A"].quiet_until_ns == NEVER_NS
    assert run.speak() is None
