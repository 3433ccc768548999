"""What a service did within a while, in one log record instead of one for each thing."""

import logging
from collections.abc import Mapping

from schemas.log_events import LogEvent, about
from schemas.settings import Settings


class LogSummary:
    """Totals go in, and what was added to them is said every so often; nothing where that is nothing."""

    def __init__(self, log: logging.Logger, event: LogEvent, settings: Settings) -> None:
        self._log = log
        self._event = event
        self._every_seconds = settings.log_summary_seconds if settings.log_format == "json" else 0.0
        self._said_at_s: float | None = None  # from when it is first asked
        self._before: Mapping[str, int] = {}

    def is_due(self, now_s: float) -> bool:
        """Tell whether it is time to say something."""
        if self._said_at_s is None:
            self._said_at_s = now_s
        return self._every_seconds > 0 and now_s - self._said_at_s >= self._every_seconds

    def say(self, totals: Mapping[str, int], now_s: float) -> None:
        """Say what was added to the totals since the last time, or since the beginning."""
        added = {name: total - self._before.get(name, 0) for name, total in totals.items()}
        seconds = 0.0 if self._said_at_s is None else round(now_s - self._said_at_s, 1)
        self._before, self._said_at_s = totals, now_s
        if any(added.values()):
            self._log.info("%s within %g s", self._event, seconds, extra=about(self._event, seconds=seconds, **added))
