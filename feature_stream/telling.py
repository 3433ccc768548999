"""What the stage says of itself: lag, rate, latency; and that its consumer has gone mute."""

import faust
from faust.types import TP

from feature_stream.figures import StageFigures
from feature_stream.progress import Progress
from feature_stream.stage import Stage
from schemas.errors import RetryError
from schemas.status import StatusBoard

_MUTE_SECONDS = 30.0


class MuteConsumerError(RetryError):
    """The consumer brings nothing although there is something: only a new process helps."""


class Teller:
    """Puts the stage's figures on the board."""

    def __init__(
        self, stage: Stage, figures: StageFigures, app: faust.App, topic_name: str, board: StatusBoard
    ) -> None:
        self._stage = stage
        self._figures = figures
        self._app = app
        self._topic_name = topic_name
        self._board = board
        self._progress = Progress(_MUTE_SECONDS)
        self._ticks_told = 0

    def tell(self, now: float, seconds: float) -> None:
        """Tell the figures of the last so many seconds.

        Raises:
            MuteConsumerError: Records wait, and none was taken for too long.
        """
        lag = self._lag_records()
        rate = (self._figures.ticks_total - self._ticks_told) / seconds
        self._ticks_told = self._figures.ticks_total
        self._figures.tell_lag(lag)
        self._board.set_figures(
            lag_records=lag, rates={"ticks": round(rate, 1)}, latency_seconds=self._figures.latency_seconds()
        )
        if self._progress.stuck(lag, self._stage.records_taken, now):
            raise MuteConsumerError(f"{lag} records wait, and none came for {_MUTE_SECONDS:g} s")

    def _lag_records(self) -> int:
        consumer = self._app.consumer
        assigned = consumer.assignment()
        lag = 0
        for partition, live in self._stage.partitions.items():
            tp = TP(self._topic_name, partition)
            highwater = consumer.highwater(tp) if tp in assigned else None
            if highwater is not None and live.continuity is not None:
                lag += max(0, highwater - live.continuity.next_offset)
        return lag
