"""Members that fail, said when it begins and when it ends, and not every batch between."""

import logging
from collections.abc import Mapping

from schemas.log_events import LogEvent, about

_log = logging.getLogger(__name__)


class FailureLog:
    """The members of one set that failed in the last batch.

    Attributes:
        failing: Why, by name.
    """

    def __init__(self, whose: str = "") -> None:
        """Begin without failures.

        Args:
            whose: Said before `member`, like "the challenger's ".
        """
        self.failing: Mapping[str, str] = {}
        self._whose = whose

    def say(self, failures: Mapping[str, str]) -> None:
        """Take the failures of a batch; log a member that begins to fail, or to answer again."""
        for name in failures.keys() - self.failing.keys():
            said = about(LogEvent.FALLBACK, of="member", member=name, began=True, reason=failures[name])
            _log.error("%smember %s is left out: %s", self._whose, name, failures[name], extra=said)
        for name in self.failing.keys() - failures.keys():
            said = about(LogEvent.FALLBACK, of="member", member=name, began=False)
            _log.info("%smember %s answers again", self._whose, name, extra=said)
        self.failing = failures
