"""How far a training is, in the log: a line for each quarter, however many steps there are."""

import logging

from schemas.log_events import LogEvent, about

_QUARTERS = 4

_log = logging.getLogger(__name__)


class ProgressLog:
    """Of one training."""

    def __init__(self, command: str | None) -> None:
        """Say the command that asked for it; None: the first training, which nobody asked for."""
        self._command = command
        self._quarters = 0

    def note(self, progress: float, doing: str) -> None:
        """Take note of a step; progress that begins again, as a second try does, is said again."""
        quarters = int(progress * _QUARTERS)
        if quarters > self._quarters:
            percent = round(100 * progress)
            said = about(LogEvent.TRAINING, command=self._command, state="running", progress=progress, doing=doing)
            _log.info("training: %d %%, %s", percent, doing, extra=said)
        self._quarters = quarters
