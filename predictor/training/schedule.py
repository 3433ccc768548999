"""When a retrain is due: by the clock (cron, in UTC), or by bars of event time. Pure; each wish has a name of its own.

A schedule by the clock follows days of the wall. A replay is faster than that, so it is the bars that make sense there.
"""

import re
from datetime import UTC, datetime, timedelta

from predictor.scoring_boards import ALL
from schemas.events import CommandAction, ModelCommand, Scoreboard
from schemas.times import NS_PER_SECOND, Interval, bar_start_ns, from_rfc3339, interval_ns, to_rfc3339

SCHEDULE = "schedule"
_BY_CLOCK = f"{SCHEDULE}/"
#: Saturdays, when daily markets rest, at 06:00 UTC: every one, or the first of a month.
PRESETS = {"weekly": "0 6 * * sat", "monthly": "0 6 * * sat#1"}

_WORDS = re.compile("jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat|l")
_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)
_DAY_NS = interval_ns("1d")
_A_MONDAY_NS = 4 * _DAY_NS  # 1970-01-05
_NO_SCHEDULE = "give minute hour day month weekday in UTC like '0 6 * * sat', or weekly, monthly, or nothing"


def is_schedule(text: str) -> str:
    """Check a setting: nothing, a preset, or the five fields of cron.

    Raises:
        ValueError: It is none of these, or never due.
    """
    if not text:
        return text
    fields = PRESETS.get(text, text).lower().split()
    words = {word for field in fields for word in re.findall("[a-z]+", field)}
    # Croniter knows more: seconds, years, and times drawn by lot.
    if len(fields) != 5 or not all(map(_WORDS.fullmatch, words)):
        raise ValueError(_NO_SCHEDULE)
    try:
        _next(text, _SOME_DAY)
    except ImportError as error:
        raise ValueError("croniter is missing: a schedule needs `pip install 'tickcast[train]'`") from error
    except Exception as error:  # whatever croniter raises on a text that it cannot read
        raise ValueError(_NO_SCHEDULE) from error
    return text


def next_due(expression: str, after_ns: int) -> int:
    """Give the first time after this one at which a schedule is due."""
    after = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=after_ns // NS_PER_SECOND)
    return round(_next(expression, after).timestamp()) * NS_PER_SECOND


def last_due(expression: str, since_ns: int, now_ns: int) -> int | None:
    """Give the last time after `since_ns`, and up to now, at which a schedule was due; None where there was none."""
    from croniter import croniter  # noqa: PLC0415 - of the extra `train`

    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=now_ns // NS_PER_SECOND + 1)
    due: datetime = croniter(PRESETS.get(expression, expression), moment).get_prev(datetime)
    due_ns = round(due.timestamp()) * NS_PER_SECOND
    return due_ns if since_ns < due_ns <= now_ns else None


class ClockSchedule:
    """Turns due times into commands, each once.

    What was due while nobody was there is made up for once, by its last time: a time older than one period has another
    after it. Two that watch the same clock name the same command.

    Args:
        since_ns: What was due up to then is not made up for: the newest time that was asked for; without one, when the
            newest decision was made before the start; without that either, now.
    """

    def __init__(self, expression: str, since_ns: int) -> None:
        self._expression = expression
        self._since_ns = since_ns

    def see(self, now_ns: int) -> ModelCommand | None:
        """Give the command that is due."""
        if not self._expression:
            return None
        due_ns = last_due(self._expression, self._since_ns, now_ns)
        if due_ns is None:
            return None
        self._since_ns = due_ns
        due = to_rfc3339(due_ns)
        return _retrain(f"{_BY_CLOCK}{due}", f"due at {due}", {"schedule": self._expression}, now_ns)


def due_of(name: str) -> int | None:
    """Give the due time in the name of a command by the clock; None where it is another's."""
    if not name.startswith(_BY_CLOCK):
        return None
    try:
        return from_rfc3339(name.removeprefix(_BY_CLOCK))
    except ValueError:
        return None


class BarSchedule:
    """Asks for a retrain when so many bars have gone by since the end of the serving set's training, and again later.

    Args:
        every_bars: None: never.
    """

    def __init__(self, every_bars: int | None, interval: Interval) -> None:
        self._every_bars = every_bars
        self._interval = interval
        self._asked: set[str] = set()

    def see(self, board: Scoreboard, serving: str | None, train_end_ns: int, now_ns: int) -> ModelCommand | None:
        """Give the command that is due as of a board.

        Args:
            serving: The set that serves.
            train_end_ns: The end of the last bar that its training has seen.
        """
        if self._every_bars is None or serving is None or board.ticker != ALL:
            return None
        bars = bars_between(train_end_ns, board.through_ns, self._interval)
        times = bars // self._every_bars
        name = f"bars/{serving}/{times * self._every_bars}"
        if times < 1 or name in self._asked:
            return None
        self._asked.add(name)
        evidence = {"bars": str(bars), "through_ns": str(board.through_ns), "model_set": serving}
        return _retrain(name, f"{bars} bars after the training's end", evidence, now_ns)


def bars_between(start_ns: int, end_ns: int, interval: Interval) -> int:
    """Count the bars that begin from `start_ns` on and end by `end_ns`: every one that the clock has room for.

    Daily ones count from Monday to Friday. Holidays, and the hours at which a market is closed, are not known here.
    """
    length_ns = interval_ns(interval)
    if end_ns <= start_ns:
        return 0
    if interval != "1d":
        return (end_ns - start_ns) // length_ns
    first, end = -(-start_ns // length_ns) * length_ns, bar_start_ns(end_ns, length_ns)
    return max(0, _weekdays_before(end) - _weekdays_before(first))


def _weekdays_before(day_ns: int) -> int:
    weeks, days = divmod((day_ns - _A_MONDAY_NS) // _DAY_NS, 7)
    return 5 * weeks + min(days, 5)


def _next(expression: str, after: datetime) -> datetime:
    from croniter import croniter  # noqa: PLC0415 - of the extra `train`

    found: datetime = croniter(PRESETS.get(expression, expression), after).get_next(datetime)
    return found


def _retrain(name: str, reason: str, evidence: dict[str, str], now_ns: int) -> ModelCommand:
    return ModelCommand(
        id=name,
        action=CommandAction.RETRAIN,
        requested_by=SCHEDULE,
        requested_at_ns=now_ns,
        reason=reason,
        evidence=evidence,
    )
