"""Refusals, counted and said: all of them are counted, and as many are logged as anybody reads."""

import asyncio
import logging
from collections.abc import Callable

from prometheus_client import Counter
from starlette.types import Scope

from gateway.limits.clients import address_of
from schemas.log_events import LogEvent, about

#: Of one reason, in one period; what is left out is counted, and said at its end.
LINES_PER_PERIOD = 20
PERIOD_SECONDS = 60.0

Later = Callable[[float, Callable[[], None]], object]

_log = logging.getLogger(__name__)


def _later(delay_seconds: float, work: Callable[[], None]) -> object:
    return asyncio.get_running_loop().call_later(delay_seconds, work)


class Refusals:
    """Those of one gateway."""

    def __init__(self, counter: Counter, later: Later = _later) -> None:
        """Count with `counter`, by reason; `later` calls something after a time."""
        self._counter = counter
        self._later = later
        self._in_period: dict[str, int] = {}

    def note(self, scope: Scope, reason: str, what: str | None = None) -> None:
        """Take note of a refusal.

        Args:
            reason: One of few: what it is counted by.
            what: For the log; None: it is nothing to be logged.
        """
        self._counter.labels(reason).inc()
        if what is not None and self.may_log(reason):
            address = address_of(scope)
            extra = about(LogEvent.REFUSED, reason=reason, what=what, address=address)
            _log.warning("refused %s: %s", address, what, extra=extra)

    def may_log(self, reason: str) -> bool:
        """Tell whether a line of this reason, which the caller writes, is one of those that are logged."""
        before = self._in_period.get(reason, 0)
        self._in_period[reason] = before + 1
        if before == 0:
            self._later(PERIOD_SECONDS, lambda: self._end_period(reason))
        return before < LINES_PER_PERIOD

    def _end_period(self, reason: str) -> None:
        left_out = self._in_period.pop(reason) - LINES_PER_PERIOD
        if left_out > 0:
            extra = about(LogEvent.REFUSED, reason=reason, more=left_out)
            _log.warning("refused %d more within %g s: %s", left_out, PERIOD_SECONDS, reason, extra=extra)
