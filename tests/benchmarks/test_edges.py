"""What counts as a leading edge in the measurement of latency."""

from benchmarks.feature_stage.edges import leading_edges

_SILENCE = 600


def edges(ticks: list[tuple[int, int]], words: list[tuple[int, int]]) -> list[tuple[int, int | None]]:
    return list(leading_edges(ticks, words, _SILENCE))


def test_a_tick_after_a_silence_is_timed_to_the_feature_that_holds_it() -> None:
    assert edges([(1, 0), (2, 1_000)], [(1, 20), (2, 1_015)]) == [(1_000, 1_015)]


def test_the_first_tick_of_a_ticker_is_not_timed_for_nothing_is_known_of_the_time_before() -> None:
    assert edges([(1, 0)], [(1, 20)]) == []


def test_a_tick_that_may_wait_for_the_trailing_edge_is_not_timed() -> None:
    assert edges([(1, 0), (2, 500)], [(1, 250), (2, 750)]) == []


def test_the_time_counts_from_the_tick_that_was_due_though_a_newer_one_went_out_with_it() -> None:
    assert edges([(1, 0), (2, 1_000), (3, 1_090)], [(1, 20), (3, 1_100)]) == [(1_000, 1_100)]


def test_a_tick_that_nobody_ever_told_of_is_a_leading_edge_without_an_end() -> None:
    assert edges([(1, 0), (2, 1_000)], [(1, 20)]) == [(1_000, None)]


def test_a_late_stage_is_timed_on_the_same_ticks() -> None:
    assert edges([(1, 0), (2, 1_000), (3, 2_000)], [(1, 1_500), (3, 2_900)]) == [(1_000, 2_900), (2_000, 2_900)]
