"""When a retrain is due, by the clock and by bars; and what a wrong schedule is told."""

from datetime import UTC, date, datetime, timedelta

import pytest
from croniter import croniter
from hypothesis import given
from hypothesis import strategies as st

from predictor.training.schedule import (
    PRESETS,
    BarSchedule,
    ClockSchedule,
    bars_between,
    is_schedule,
    last_due,
    next_due,
)
from predictor.training.settings import TrainingSettings
from schemas.errors import StopAndSayError
from schemas.settings import load_settings
from schemas.times import from_rfc3339, interval_ns, to_rfc3339
from tests.predictor.boards import board

DAY_NS, HOUR_NS = interval_ns("1d"), interval_ns("1h")
FRIDAY_NS = from_rfc3339("2026-11-27T12:00:00Z")
EXPRESSIONS = ("weekly", "monthly", "*/7 * * * *", "30 5 * * *", "0 6 1,15 * *", "0 6 29 2 *", "15 */6 * * mon-fri")

moments = st.integers(from_rfc3339("2020-01-01"), from_rfc3339("2040-01-01"))


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        ("weekly", "2026-11-28T06:00:00Z"),
        ("monthly", "2026-12-05T06:00:00Z"),
        ("0 6 * * sat", "2026-11-28T06:00:00Z"),
        ("*/15 * * * *", "2026-11-27T12:15:00Z"),
    ],
)
def test_the_next_due_time(expression: str, due: str) -> None:
    assert to_rfc3339(next_due(expression, FRIDAY_NS)) == due


@given(st.sampled_from(EXPRESSIONS), moments)
def test_the_next_time_lies_after_and_nothing_lies_between(expression: str, after_ns: int) -> None:
    due_ns = next_due(expression, after_ns)
    assert due_ns > after_ns
    assert next_due(expression, due_ns - 1) == due_ns
    assert next_due(expression, (after_ns + due_ns) // 2) == due_ns
    assert croniter.match(PRESETS.get(expression, expression), datetime.fromtimestamp(due_ns // 10**9, UTC))


@given(st.sampled_from(EXPRESSIONS), moments)
def test_the_last_time_is_the_one_whose_next_lies_ahead(expression: str, now_ns: int) -> None:
    due_ns = last_due(expression, 0, now_ns)
    assert due_ns is not None
    assert due_ns <= now_ns < next_due(expression, due_ns)
    assert last_due(expression, due_ns, now_ns) is None, "it was seen"
    assert last_due(expression, due_ns - 1, due_ns) == due_ns


@given(moments)
def test_presets_fall_on_saturdays_at_six(after_ns: int) -> None:
    for preset in PRESETS:
        due = datetime.fromtimestamp(next_due(preset, after_ns) // 10**9, UTC)
        assert (due.weekday(), due.hour, due.minute) == (5, 6, 0)
        assert preset == "weekly" or due.day <= 7


def test_a_schedule_asks_once_and_by_a_name_that_all_give() -> None:
    schedule = ClockSchedule("weekly", FRIDAY_NS)
    assert schedule.see(FRIDAY_NS) is None
    due_ns = from_rfc3339("2026-11-28T06:00:00Z")
    command = schedule.see(due_ns)
    assert command is not None
    assert (command.id, command.requested_by, command.kind) == ("schedule/2026-11-28T06:00:00Z", "schedule", "refresh")
    assert schedule.see(due_ns + HOUR_NS) is None
    other = ClockSchedule("weekly", FRIDAY_NS).see(due_ns + 5 * HOUR_NS)
    assert other is not None
    assert other.id == command.id


@given(st.sampled_from(EXPRESSIONS[:5]), moments, st.lists(st.integers(1, 40 * DAY_NS), min_size=1, max_size=8))
def test_starts_at_any_time_ask_for_each_due_time_once_and_make_up_for_the_last_only(
    expression: str, start_ns: int, pauses: list[int]
) -> None:
    seen_ns, now_ns, names = start_ns, start_ns, list[str]()
    for pause in pauses:
        now_ns += pause
        command = ClockSchedule(expression, seen_ns).see(now_ns)  # a new process each time
        if command is not None:
            names.append(command.id)
            seen_ns = from_rfc3339(command.id.removeprefix("schedule/"))
            assert seen_ns <= now_ns < next_due(expression, seen_ns), "older than a period is not made up for"
        else:
            assert next_due(expression, seen_ns) > now_ns
    assert len(set(names)) == len(names)


def test_without_a_schedule_nothing_is_due() -> None:
    assert ClockSchedule("", 0).see(FRIDAY_NS) is None


@pytest.mark.parametrize("text", ["", *EXPRESSIONS, "0 0 L * *", "0 6 * * SAT"])
def test_what_is_a_schedule(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKCAST_TRAINING_SCHEDULE", text)
    assert load_settings(TrainingSettings, _env_file=None).training_schedule == text


@pytest.mark.parametrize(
    "text",
    ["soon", "daily", "@weekly", "0 6 * *", "0 6 * * sat 0", "61 * * * *", "r r * * *", "h 6 * * *", "0 0 30 2 *", "x"],
)
def test_what_is_none_is_told_by_name_with_an_example(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKCAST_TRAINING_SCHEDULE", text)
    with pytest.raises(StopAndSayError, match=r"TICKCAST_TRAINING_SCHEDULE: .*like '0 6 \* \* sat', or weekly") as told:
        load_settings(TrainingSettings, _env_file=None)
    assert "\n" not in str(told.value)


@given(st.text(alphabet="0123456789*/,-#? lsatmonjfe", max_size=24))
def test_any_text_is_a_schedule_or_is_refused_in_words(text: str) -> None:
    refused = None
    try:
        is_schedule(text)
    except ValueError as error:
        refused = str(error)
    assert refused is None or "or weekly" in refused
    assert refused is not None or not text or next_due(text, FRIDAY_NS) > FRIDAY_NS


@given(st.dates(date(1999, 1, 1), date(2030, 1, 1)), st.integers(0, 700))
def test_daily_bars_are_weekdays(first: date, days: int) -> None:
    start_ns = from_rfc3339(first.isoformat())
    expected = sum((first + timedelta(days=day)).weekday() < 5 for day in range(days))
    assert bars_between(start_ns, start_ns + days * DAY_NS, "1d") == expected
    assert bars_between(start_ns, start_ns + days * DAY_NS, "1h") == 24 * days


def test_no_bars_lie_before_the_start_nor_in_half_a_day() -> None:
    assert bars_between(10 * DAY_NS, 3 * DAY_NS, "1d") == 0
    assert bars_between(4 * DAY_NS + 1, 5 * DAY_NS + 1, "1d") == 0


def test_bars_after_the_training_ask_for_the_next_one_and_again_as_long_as_the_set_serves() -> None:
    schedule, start_ns = BarSchedule(5, "1d"), from_rfc3339("2010-01-01")
    throughs = [start_ns + day * DAY_NS for day in range(22)]
    commands = [schedule.see(board("*", through_ns), "set-a", start_ns, 7) for through_ns in throughs]
    asked = {place: command.id for place, command in enumerate(commands) if command is not None}
    assert asked == {7: "bars/set-a/5", 14: "bars/set-a/10", 21: "bars/set-a/15"}
    again = BarSchedule(5, "1d").see(board("*", throughs[9]), "set-a", start_ns, 7)
    assert again is not None
    assert again.id == "bars/set-a/5", "a new process gives the same name"


def test_bars_ask_nothing_where_they_are_not_to_or_nothing_serves() -> None:
    late = board("*", 100 * DAY_NS)
    assert BarSchedule(None, "1d").see(late, "set-a", 0, 7) is None
    assert BarSchedule(5, "1d").see(late, None, 0, 7) is None
    assert BarSchedule(5, "1d").see(board("AAPL", 100 * DAY_NS), "set-a", 0, 7) is None
