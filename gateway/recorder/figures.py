"""What the recorder counts: its metrics, and its status."""

import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum

from prometheus_client import REGISTRY, CollectorRegistry
from sqlalchemy.exc import DBAPIError

from schemas.events import ServiceState
from schemas.metrics import DEAD_LETTERS, LAG_RECORDS, RECORDED
from schemas.status import StatusBoard

_log = logging.getLogger(__name__)
_REPORT_EVERY_SECONDS = 1.0
_AWAY = "the database does not answer: what the stream says waits in its topics"


class Unrecorded(StrEnum):
    """Why a record is a dead letter and not in the database."""

    UNDECODABLE = "undecodable"
    REFUSED = "refused"


class Figures:
    """Counters of one recorder."""

    def __init__(self, board: StatusBoard, registry: CollectorRegistry = REGISTRY) -> None:
        self._board = board
        self._recorded = RECORDED.counter(registry)
        self._lag = LAG_RECORDS.gauge(registry)
        self._dead_letters = DEAD_LETTERS.counter(registry)
        for reason in Unrecorded:
            self._dead_letters.labels(reason)  # shown as 0 before there is one
        self._count = 0
        self._reported_at = time.monotonic()

    def count(self, topics: Sequence[str]) -> None:
        """Count what is in the database now, a topic for each record."""
        for topic, records in Counter(topics).items():
            self._recorded.labels(topic).inc(records)
        self._count += len(topics)

    def dead_letters(self, reason: Unrecorded, count: int) -> None:
        """Count records that the broker has as dead letters now."""
        self._dead_letters.labels(reason).inc(count)

    def database_away(self, error: DBAPIError) -> None:
        """Say that the database does not answer; its own words may hold an address, so the log gets their type."""
        if self._board.state is not ServiceState.DEGRADED:
            _log.warning("%s (%s)", _AWAY, type(error.orig).__name__)
        self._board.set_state(ServiceState.DEGRADED, _AWAY)

    def report(self, lag: Mapping[str, int], *, caught_up: bool) -> None:
        """Say how it stands, once a second at most."""
        seconds = time.monotonic() - self._reported_at
        if seconds < _REPORT_EVERY_SECONDS:
            return
        if self._board.state is ServiceState.DEGRADED:
            _log.info("the database answers again")
        self._board.set_state(ServiceState.READY if caught_up else ServiceState.CATCHING_UP)
        for topic, records in lag.items():
            self._lag.labels(topic).set(records)
        self._board.set_figures(lag_records=sum(lag.values()), rates={"records": self._count / seconds})
        self._count, self._reported_at = 0, time.monotonic()
