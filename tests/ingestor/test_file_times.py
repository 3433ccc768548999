"""Times as files write them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.sources.file_times import parse_time

_NS = 1_704_205_800_123_456_789
_SECOND_NS = 10**9


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("1704205800", 1_704_205_800 * _SECOND_NS),
        ("1704205800.5", 1_704_205_800_500_000_000),
        ("1704205800.123456789", _NS),
        ("1704205800123", 1_704_205_800_123_000_000),
        ("1704205800123456", 1_704_205_800_123_456_000),
        ("1704205800123456789", _NS),
        ("1.7042058E9", 1_704_205_800 * _SECOND_NS),
        ("2024-01-02T14:30:00Z", 1_704_205_800 * _SECOND_NS),
        ("2024-01-02 14:30:00", 1_704_205_800 * _SECOND_NS),
        (" 2024-01-02T14:30 ", 1_704_205_800 * _SECOND_NS),
        ("2024-01-02T09:30:00-05:00", 1_704_205_800 * _SECOND_NS),
        ("2024-01-02T14:30:00.123456789Z", _NS),
        ("2024-01-02T16:30:00.123456789+02:00", _NS),
        ("2024-01-02T14:30:00,1234567", 1_704_205_800_123_456_700),
        ("2024-01-02", 1_704_153_600 * _SECOND_NS),
        ("20240102", 1_704_153_600 * _SECOND_NS),
        ("1000000", 1_000_000 * _SECOND_NS),
        ("999999.5", 999_999_500_000_000),
    ],
)
def test_a_time_is_read_to_the_nanosecond(text: str, time_ns: int) -> None:
    assert parse_time(text) == time_ns


@pytest.mark.parametrize(
    "text", ["", "yesterday", "01/02/2024", "2024-13-01", "nan", "inf", "-1", "1e999999999", "2300-01-01", "99" * 20]
)
def test_what_is_not_a_time_says_so(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a time|is not in the years"):
        parse_time(text)


@pytest.mark.parametrize("text", ["0", "2024", "202401", "+2024", "2024.0", "202401021430", "2.02401021430e11"])
def test_a_number_that_may_be_a_year_a_month_or_a_minute_is_not_taken_for_an_epoch(text: str) -> None:
    for value in (text, float(text)):
        with pytest.raises(ValueError, match=r"is ambiguous .* use ISO 8601"):
            parse_time(value)


@given(st.integers(10**12, 9 * 10**12))
def test_numbers_of_parquet_and_of_csv_mean_the_same(milliseconds: int) -> None:
    assert parse_time(milliseconds) == parse_time(str(milliseconds)) == milliseconds * 1_000_000
    assert parse_time(milliseconds / 1_000) == milliseconds * 1_000_000


@given(st.datetimes(datetime(1970, 1, 1), datetime(2261, 1, 1)))
def test_iso_text_agrees_with_the_standard_library(moment: datetime) -> None:
    expected = moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    assert parse_time(moment.isoformat()) // 1_000 == (
        (expected.days * 86_400 + expected.seconds) * 1_000_000 + expected.microseconds
    )
