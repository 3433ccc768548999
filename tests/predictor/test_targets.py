"""When a horizon ends."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from predictor.targets import target_time_ns, trading_day_after
from schemas.times import from_rfc3339
from tests.predictor.feature_events import final, provisional_after

EPOCH = date(1970, 1, 1)


@given(st.integers(-10_000, 40_000), st.integers(1, 60))
def test_trading_days_are_those_of_numpy(day: int, count: int) -> None:
    start = np.datetime64(EPOCH + timedelta(days=day))
    wanted = np.busday_offset(start, count, roll="backward")
    assert EPOCH + timedelta(days=trading_day_after(day, count)) == wanted.astype(object)


def test_the_day_after_friday_is_monday() -> None:
    friday = final(day=4)
    assert datetime.fromtimestamp(friday.bar.start_ns / 1e9, UTC).strftime("%A") == "Friday"
    assert target_time_ns(friday, 1) == from_rfc3339("2010-01-12T00:00:00Z")
    assert target_time_ns(friday, 5) == from_rfc3339("2010-01-16T00:00:00Z")


def test_the_open_bar_is_the_first_of_the_horizon() -> None:
    closed = final()
    assert target_time_ns(provisional_after(closed, price=1.0), 1) == closed.bar.end_ns + 86_400 * 10**9
    assert target_time_ns(provisional_after(closed, price=1.0), 21) == target_time_ns(closed, 21)


def test_shorter_bars_follow_each_other_without_a_pause() -> None:
    closed = structs.replace(final(), interval="5m")
    assert target_time_ns(closed, 3) == closed.bar.end_ns + 900 * 10**9
