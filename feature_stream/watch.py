"""Looks after a worker: tells its figures, heals what is missing, and says whether it does its work."""

import logging
import time
from abc import ABC, abstractmethod
from dataclasses import replace

import faust

from feature_stream.figures import StageFigures
from feature_stream.healing import Guard, Healer
from feature_stream.membership import Membership
from feature_stream.recovery_times import RecoveryTimes
from feature_stream.settings import WorkerSettings
from feature_stream.stage import Stage
from feature_stream.telling import Teller
from feature_stream.vitals import Bounds, MuteError, Phase, Signs, Vitals
from schemas.events import ServiceState
from schemas.status import StatusBoard

_log = logging.getLogger(__name__)
_EVERY_SECONDS = 1.0


class WorkerWatch(ABC):
    """One worker's; the service tells it of every turn of the loop and of every rebalance."""

    def __init__(
        self, settings: WorkerSettings, times: RecoveryTimes, app: faust.App, board: StatusBoard, membership: Membership
    ) -> None:
        self._times = times
        self._app = app
        self._board = board
        self._membership = membership
        self._word_good_for_seconds = settings.mute_unhealthy_seconds + _EVERY_SECONDS
        self._looked_at = time.monotonic()
        self._vitals = Vitals(bounds_of(settings), self._looked_at)
        self._unwell = False

    @abstractmethod
    def _heal(self, now: float) -> None:
        """Try again what is still missing; called often."""

    @abstractmethod
    def _tell(self, seconds: float, now: float) -> Signs:
        """Tell the figures of the last so many seconds, and say what can be seen of the sources."""

    def joins(self) -> None:
        """Note that partitions move, and none is ours meanwhile."""
        self._board.set_state(ServiceState.CATCHING_UP, "partitions move")
        self._vitals.enter(Phase.JOINING, time.monotonic())

    def assigned(self) -> None:
        """Note an assignment; its state must be read first."""
        now = time.monotonic()
        self._times.assigned(now)
        self._vitals.enter(Phase.RECOVERING, now)

    def state_read(self) -> None:
        """Note that the state of all partitions is here."""
        self._times.state_read(time.monotonic())

    def works(self, partitions: int) -> None:
        """Note that so many partitions are read from now on; none where there are more workers than partitions."""
        message = f"{partitions} partitions" if partitions else "no partitions: a standby"
        self._board.set_state(ServiceState.READY, message)
        self._vitals.enter(Phase.WORKING, time.monotonic())

    def look(self, now: float) -> None:
        """Do what is due; to be called often.

        Args:
            now: A monotonic clock, in seconds.

        Raises:
            MuteError: The worker stands still, and nothing has helped.
        """
        self._heal(now)
        self._times.look(now)
        seconds = now - self._looked_at
        if seconds >= _EVERY_SECONDS:
            self._looked_at = now
            self._judge(self._tell(seconds, now), now)

    def _judge(self, seen: Signs, now: float) -> None:
        signs = replace(
            seen,
            heartbeat_seconds=self._membership.silent_seconds(now),
            recovered=self._recovered() if self._vitals.phase is Phase.RECOVERING else 0,
        )
        trouble = self._vitals.trouble(signs, now)
        if trouble is not None and not self._unwell:
            _log.warning("unwell: %s", trouble.reason)
        self._unwell = trouble is not None
        self._board.set_trouble(None if trouble is None else trouble.reason, self._word_good_for_seconds)
        if trouble is not None and trouble.fatal:
            raise MuteError(trouble.reason)

    def _recovered(self) -> int:
        """Give a number that grows with every record that a recovery reads."""
        return sum(offset or 0 for offset in self._app.tables.recovery.active_offsets.values())


class Watch(WorkerWatch):
    """The stage's."""

    def __init__(
        self,
        settings: WorkerSettings,
        stage: Stage,
        figures: StageFigures,
        app: faust.App,
        topic_name: str,
        *,
        board: StatusBoard,
        membership: Membership,
        guard: Guard,
    ) -> None:
        super().__init__(settings, RecoveryTimes(figures), app, board, membership)
        self.healer = Healer(stage, figures, app, topic_name, guard)
        self._teller = Teller(stage, figures, app, topic_name, board)

    def _heal(self, now: float) -> None:
        self.healer.heal(now)

    def _tell(self, seconds: float, now: float) -> Signs:
        silence = self.healer.watch(self._teller.tell(seconds), now)
        return Signs(silence, answer_seconds=self._teller.ends.silent_seconds(now))


def bounds_of(settings: WorkerSettings) -> Bounds:
    """Give the bounds as they are set."""
    return Bounds(
        mute_unhealthy=settings.mute_unhealthy_seconds,
        mute_end=settings.mute_end_seconds,
        join_unhealthy=settings.join_unhealthy_seconds,
        join_end=settings.join_end_seconds,
        session_timeout=settings.session_timeout_seconds,
    )
