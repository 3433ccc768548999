"""From drift to a wish: an alarm of the serving set gives one command, however often it is seen, and by whom.

The command is named after the time through which the board of its first date knows. Whoever reads `scores` from the
beginning finds the same alarms and names the same commands, and those that were made before are known by their names.
"""

from predictor.age import bars_between
from predictor.scoring_boards import ALL
from schemas.events import CommandAction, ModelCommand, ModelEvent, Scoreboard
from schemas.times import Interval, from_rfc3339, to_rfc3339

DRIFT = "drift"
#: What `Scoreboard.drift["retrain"]` says in an alarm.
ASKED = "asked"


class AlarmWatch:
    """Sees all boards in their order, and decisions and commands as they come.

    Boards of other sets than the serving one say nothing: their outcomes still come in after it was replaced. An alarm
    that a new set finds when it begins to serve is the old one's, whose dates are in the boards too: the newest command
    was made of it. So it is with an alarm that is under way after a start, where its first boards are gone. Its pause
    has gone on meanwhile: the bars since that command count, or since the set's training ended, if that came later.
    """

    def __init__(self, pause_bars: int, interval: Interval) -> None:
        """Begin to watch.

        Args:
            pause_bars: An alarm that lasts so many dates after its command, which was answered, gives another one.
        """
        self._pause_bars = pause_bars
        self._interval = interval
        self._serving: str | None = None
        self._train_end_ns = 0  # of that
        self._known: dict[str, int] = {}
        self._answered: set[str] = set()
        self._alarm: str | None = None  # its newest command
        self._dates = 0  # since that
        self._through_ns = -1
        self._calm_seen = False

    def decided(self, event: ModelEvent) -> None:
        """Take a decision of `models`: each of them, in their order."""
        if event.serving != self._serving:
            self._serving, self._train_end_ns = event.serving, event.train_end_ns
            self._forget_alarm()
        if event.command_id is not None:
            self._know(event.command_id)
            self._answered.add(event.command_id)

    def asked(self, command: ModelCommand) -> None:
        """Take a command of `model-commands`: it may still wait for its answer."""
        self._know(command.id)

    def see(self, board: Scoreboard, now_ns: int) -> ModelCommand | None:
        """Give the command that a board leads to."""
        if board.ticker != ALL or self._serving is None or board.model_set != self._serving:
            return None
        if board.drift.get("retrain") != ASKED:
            self._calm_seen, self._alarm = True, None
            return None
        command = _command(board, now_ns)
        if self._goes_on(command.id, board.through_ns) or board.through_ns <= self._newest_ns():
            return None  # the latter: it is read again, and nothing came of it then
        self._know(command.id)
        self._begin(command.id)
        return command

    def _goes_on(self, name: str, through_ns: int) -> bool:
        """Tell whether an alarm has its command already; count its dates since then."""
        if name in self._known:
            self._begin(name)
        elif self._alarm is None and not self._calm_seen and self._known:
            newest = max(self._known, key=lambda each: self._known[each])
            since_ns = max(self._known[newest], self._train_end_ns)
            self._begin(newest, dates=self._dates_between(since_ns, through_ns))
        elif through_ns > self._through_ns:
            self._dates += 1
        self._through_ns = max(self._through_ns, through_ns)
        return self._alarm is not None and not (self._alarm in self._answered and self._dates >= self._pause_bars)

    def _dates_between(self, start_ns: int, end_ns: int) -> int:
        """Count the dates that boards can have had; of shorter bars nights and weekends would be counted as well."""
        return bars_between(start_ns, end_ns, self._interval) if self._interval == "1d" else 0

    def _begin(self, name: str, dates: int = 0) -> None:
        self._alarm, self._dates = name, dates

    def _forget_alarm(self) -> None:
        self._alarm, self._dates, self._through_ns, self._calm_seen = None, 0, -1, False

    def _newest_ns(self) -> int:
        return max(self._known.values(), default=-1)

    def _know(self, name: str) -> None:
        through_ns = _through_of(name)
        if through_ns is not None:
            self._known[name] = through_ns


def _command(board: Scoreboard, now_ns: int) -> ModelCommand:
    through = to_rfc3339(board.through_ns)
    signs = [f"{name} for {board.drift.get(f'{name}_dates', '?')} dates" for name in ("loss", "error")
             if board.drift.get(name) == "alarm"]  # fmt: skip
    return ModelCommand(
        id=f"{DRIFT}/{board.model_set}/{through}",
        action=CommandAction.RETRAIN,
        requested_by=DRIFT,
        requested_at_ns=now_ns,
        reason=f"{board.model_set} drifts, as of {through}: {' and '.join(signs) or 'its board asks for a retrain'}",
        evidence={**board.drift, "through_ns": str(board.through_ns), "model_set": board.model_set},
    )


def _through_of(name: str) -> int | None:
    """Give the time in the name of a command of ours; None where it is another's."""
    if not name.startswith(f"{DRIFT}/"):
        return None
    try:
        return from_rfc3339(name.rpartition("/")[2])
    except ValueError:
        return None
