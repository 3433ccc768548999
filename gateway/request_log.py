"""Requests in the log: all of them, one in so many, or none."""

import logging

from schemas.log_events import LogEvent, about

#: A word that is no method was written by somebody who may have meant something else with it.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WEBSOCKET"})
_SERVER_ERROR = 500

_log = logging.getLogger(__name__)


class RequestLog:
    """Of one gateway."""

    def __init__(self, share: float) -> None:
        """Log this share of all answers, evenly, and every one of 500 or above."""
        self._share = share
        self._due = 0.0

    def note(self, method: str, route: str, status: int, seconds: float, caller: str | None) -> None:
        """Take note of an answer.

        Args:
            route: The template; never the path, in which anything may stand.
            caller: Id of the key or user; None: nobody said who he is.
        """
        self._due += self._share
        if self._due >= 1.0:
            self._due -= 1.0
        elif status < _SERVER_ERROR:
            return
        milliseconds = round(1_000 * seconds, 3)
        said = about(
            LogEvent.REQUEST,
            method=method if method in _METHODS else "other",
            route=route,
            status=int(status),
            milliseconds=milliseconds,
            caller=caller,
        )
        _log.info("%s %s: %d in %g ms", said["method"], route, status, milliseconds, extra=said)
