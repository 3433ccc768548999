from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.times import INTERVALS, NS_PER_SECOND, Interval, bar_start_ns, from_rfc3339, interval_ns, to_rfc3339

#: 1970 to 9999, in nanoseconds.
times_ns = st.integers(0, 253_402_300_799 * NS_PER_SECOND)


@given(times_ns)
def test_a_time_comes_back_exact_to_the_microsecond(time_ns: int) -> None:
    assert from_rfc3339(to_rfc3339(time_ns)) == time_ns - time_ns % 1_000


@given(times_ns)
def test_text_is_what_the_standard_library_says_to_the_microsecond(time_ns: int) -> None:
    seconds, fraction_ns = divmod(time_ns, NS_PER_SECOND)
    wanted = datetime.fromtimestamp(seconds, UTC).replace(microsecond=fraction_ns // 1_000)
    assert datetime.fromisoformat(to_rfc3339(time_ns)) == wanted


@given(times_ns, times_ns)
def test_texts_differ_where_times_do(one_ns: int, other_ns: int) -> None:
    assert (to_rfc3339(one_ns) == to_rfc3339(other_ns)) == (one_ns == other_ns)


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_262_563_200_000_000_000, "2010-01-04T00:00:00Z"),
        (1_262_563_200_500_000_000, "2010-01-04T00:00:00.500Z"),
        (1_262_563_200_000_001_000, "2010-01-04T00:00:00.000001Z"),
        (1_262_563_200_000_000_001, "2010-01-04T00:00:00.000000001Z"),
        (-1_000_000_000, "1969-12-31T23:59:59Z"),
    ],
)
def test_as_many_decimals_as_needed(time_ns: int, text: str) -> None:
    assert to_rfc3339(time_ns) == text


@pytest.mark.parametrize(
    "text", ["2010-01-04", "2010-01-04T00:00:00", "2010-01-04 00:00Z", "2010-01-03T19:00:00-05:00", "20100104T000000Z"]
)
def test_a_time_zone_counts_and_none_is_utc(text: str) -> None:
    assert from_rfc3339(text) == 1_262_563_200_000_000_000


@pytest.mark.parametrize("text", ["", "yesterday", "2010-13-01", "2010-02-30T00:00:00Z", "1262563200"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"isoformat|month|day"):
        from_rfc3339(text)


@given(time_ns=times_ns, interval=st.sampled_from(INTERVALS))
def test_a_bar_holds_its_time_and_starts_on_a_utc_boundary(time_ns: int, interval: Interval) -> None:
    length_ns = interval_ns(interval)
    start_ns = bar_start_ns(time_ns, length_ns)
    assert start_ns <= time_ns < start_ns + length_ns
    assert start_ns % length_ns == 0
    assert bar_start_ns(start_ns, length_ns) == start_ns, "the start belongs to the bar"


def test_lengths_of_the_intervals() -> None:
    assert {interval: interval_ns(interval) // NS_PER_SECOND for interval in INTERVALS} == {
        "1s": 1,
        "1m": 60,
        "5m": 300,
        "1h": 3_600,
        "1d": 86_400,
    }
