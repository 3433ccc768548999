"""What machines wish: a retraining after an alarm of drift, or when a schedule says so."""

from predictor.training.alarms import AlarmWatch
from predictor.training.schedule import BarSchedule, ClockSchedule, due_of
from predictor.training.settings import TrainingSettings
from schemas.events import ModelCommand, ModelEvent, Scoreboard


class MachineWishes:
    """Alarms and schedules, in one place. They know what was asked before, so that nothing is asked twice."""

    def __init__(self, settings: TrainingSettings, began_ns: int) -> None:
        """Begin to watch.

        Args:
            began_ns: When the trainer began: decisions from before show that one was there then.
        """
        self._alarms = AlarmWatch(settings.drift_pause_bars, settings.interval)
        self._bars = BarSchedule(settings.training_every_bars, settings.interval)
        self._expression = settings.training_schedule
        self._clock: ClockSchedule | None = None
        self._began_ns = began_ns
        self._decided_before_ns: int | None = None
        self._due_ns: int | None = None  # the newest that was asked for
        self._current: ModelEvent | None = None
        self._asked: set[str] = set()

    def decided(self, event: ModelEvent) -> None:
        """Take a decision of `models`, each in its order."""
        self._alarms.decided(event)
        self._current = event
        if event.decided_at_ns < self._began_ns:
            self._decided_before_ns = event.decided_at_ns
        if event.command_id is not None:
            self._know(event.command_id)

    def asked(self, command: ModelCommand) -> None:
        """Take a command of `model-commands`."""
        self._alarms.asked(command)
        self._know(command.id)

    def as_of(self, board: Scoreboard, now_ns: int) -> list[ModelCommand]:
        """Give what a board leads to."""
        current = self._current
        if current is None:
            return []
        wished = (
            self._alarms.see(board, now_ns),
            self._bars.see(board, current.serving, current.train_end_ns, now_ns),
        )
        return self._new(wished)

    def by_clock(self, now_ns: int) -> list[ModelCommand]:
        """Give what is due."""
        if self._clock is None:
            since_ns = self._due_ns if self._due_ns is not None else self._decided_before_ns
            self._clock = ClockSchedule(self._expression, now_ns if since_ns is None else since_ns)
        return self._new((self._clock.see(now_ns),))

    def _know(self, name: str) -> None:
        self._asked.add(name)
        due_ns = due_of(name)
        if due_ns is not None:
            self._due_ns = max(due_ns, self._due_ns or due_ns)

    def _new(self, wished: tuple[ModelCommand | None, ...]) -> list[ModelCommand]:
        return [command for command in wished if command is not None and command.id not in self._asked]
