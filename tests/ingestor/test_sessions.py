"""When an exchange is open."""

import pytest

from ingestor.sources.live.packages import live_package
from ingestor.sources.live.sessions import Session, Sessions, load_sessions
from schemas.errors import StopAndSayError
from schemas.times import from_rfc3339

_DAY_NS = 86_400 * 10**9
_SESSIONS = Sessions([Session(100, 200), Session(300, 400), Session(500, 550)])


@pytest.mark.parametrize(
    ("start", "end", "open_ns"),
    [(0, 50, 0), (0, 150, 50), (150, 350, 100), (0, 1_000, 250), (210, 290, 0), (390, 501, 11)],
)
def test_only_open_time_counts(start: int, end: int, open_ns: int) -> None:
    assert _SESSIONS.open_ns_between(start, end) == open_ns


def test_the_close_is_closed() -> None:
    assert [_SESSIONS.is_open(time) for time in (99, 100, 199, 200, 549, 550)] == [
        False,
        True,
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(("open_ns", "start"), [(1, 300), (50, 300), (51, 100), (150, 100), (9_999, 100)])
def test_so_much_trading_lies_between_a_session_and_now(open_ns: int, start: int) -> None:
    assert _SESSIONS.start_before(350, open_ns) == start


@pytest.mark.parametrize(("time", "count", "open_ns"), [(501, 1, 500), (500, 1, 300), (600, 2, 300), (600, 9, 100)])
def test_so_many_sessions_back(time: int, count: int, open_ns: int) -> None:
    assert _SESSIONS.open_back(time, count) == open_ns


def test_new_york_keeps_its_hours_and_holidays() -> None:
    now_ns = from_rfc3339("2026-11-27T12:00:00Z")
    sessions = load_sessions("XNYS", now_ns)
    assert sessions.is_open(from_rfc3339("2026-11-25T14:30:00Z"))
    assert not sessions.is_open(from_rfc3339("2026-11-26T16:00:00Z"))  # Thanksgiving
    assert sessions.is_open(from_rfc3339("2026-11-27T17:59:59Z"))
    assert not sessions.is_open(from_rfc3339("2026-11-27T18:00:00Z"))  # the day after closes early
    assert load_sessions("24/7", now_ns).is_open(from_rfc3339("2026-11-28T23:59:59Z"))
    with pytest.raises(StopAndSayError, match="XNYS"):
        load_sessions("NOWHERE", now_ns)


def test_tokyo_is_closed_for_lunch_within_one_day_of_trading() -> None:
    sessions = load_sessions("XTKS", from_rfc3339("2024-11-01T12:00:00Z"))
    morning, lunch, afternoon = (from_rfc3339(f"2024-10-31T{time}:00Z") for time in ("02:29", "02:30", "03:30"))
    assert [sessions.is_open(time) for time in (morning, lunch, afternoon - 1, afternoon)] == [True, False, False, True]
    assert sessions.open_ns_between(morning, afternoon + 60 * 10**9) == 2 * 60 * 10**9
    assert sessions.day_of(morning) == sessions.day_of(afternoon)


@pytest.mark.parametrize("exchange", ["XBOM", "XSES", "XSHG"])
def test_an_exchange_whose_holidays_are_known_for_a_few_years_is_known_so_far(exchange: str) -> None:
    last = type(live_package("exchange_calendars").get_calendar(exchange)).bound_max()
    assert last is not None
    sessions = load_sessions(exchange, last.value - 30 * _DAY_NS)
    assert sessions.between(last.value - 30 * _DAY_NS, last.value)
    with pytest.raises(StopAndSayError, match=f"{last:%Y-%m-%d}"):
        load_sessions(exchange, last.value + 30 * _DAY_NS)
