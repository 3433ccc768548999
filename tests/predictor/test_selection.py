"""What of a poll is answered."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from predictor.selection import Progress, Received, place_of
from schemas.events import Features
from tests.predictor.feature_events import final, provisional_after


def chosen(progress: Progress, events: Iterable[Features], partition: int = 0) -> list[str]:
    return [each.features.id for each in progress.select(Received(event, partition, 0) for event in events)]


def log_of(ticker: str, days: int) -> list[Features]:
    """Give a ticker's events in log order: a final, then three provisional ones of the next bar, and so on."""
    closed = [final(ticker, day=day) for day in range(days)]
    return [
        event for one in closed for event in (one, *(provisional_after(one, price=9.0, offset=n) for n in (1, 2, 3)))
    ]


def ids(events: Iterable[Features]) -> list[str]:
    return [event.id for event in events]


def test_every_final_and_only_the_newest_provisional_is_answered() -> None:
    log = log_of("AAPL", 3)
    assert chosen(Progress(), log) == ids([log[0], log[4], log[8], log[11]])


def test_tickers_do_not_hide_each_other() -> None:
    apple, google = log_of("AAPL", 1), log_of("GOOG", 1)
    mixed = [event for pair in zip(apple, google, strict=True) for event in pair]
    assert chosen(Progress(), mixed) == ids([apple[0], google[0], apple[3], google[3]])


def test_two_bars_closed_by_one_frame_and_the_open_one_after_them_are_all_new() -> None:
    log = [
        final(day=1, offset=7),
        final(day=2, offset=7),
        provisional_after(final(day=2, offset=7), price=9.0, offset=0),
    ]
    assert chosen(Progress(), log) == ids(log)


def test_what_was_answered_is_passed_over() -> None:
    progress, log = Progress(), log_of("AAPL", 2)
    chosen(progress, log)
    assert chosen(progress, log) == []
    assert chosen(progress, log_of("AAPL", 3)[8:]) != []


def test_a_partition_that_was_taken_away_is_answered_from_anew_when_it_returns() -> None:
    progress, log = Progress(), log_of("AAPL", 1)
    chosen(progress, log, partition=2)
    progress.forget([1])
    assert chosen(progress, log, partition=2) == []
    progress.forget([2])
    assert chosen(progress, log, partition=2) == ids([log[0], log[3]])


@given(st.lists(st.integers(1, 6), max_size=12))
def test_however_the_log_is_cut_into_polls_each_final_is_answered_once_in_order(cuts: list[int]) -> None:
    log, progress, answered, start = log_of("AAPL", 6), Progress(), list[str](), 0
    for size in [*cuts, len(log)]:
        answered += chosen(progress, log[max(0, start - 2) : start + size])  # each poll sees two records again
        start += size
    assert [one for one in answered if one.endswith("final")] == ids(event for event in log if event.final)
    assert len(set(answered)) == len(answered)
    assert log[-1].id in answered
    places = {event.id: place_of(event) for event in log}
    assert [places[one] for one in answered] == sorted(places[one] for one in answered)
