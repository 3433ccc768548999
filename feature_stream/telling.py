"""What the stage says of itself: lag, rate, latency."""

import faust
from faust.types import TP

from feature_stream.figures import StageFigures
from feature_stream.stage import Stage
from schemas.status import StatusBoard


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
        self._ticks_told = 0

    def tell(self, seconds: float) -> dict[int, int]:
        """Tell the figures of the last so many seconds.

        Returns:
            Records that wait, by partition.
        """
        lags = self._lags()
        lag = sum(lags.values())
        rate = (self._figures.ticks_total - self._ticks_told) / seconds
        self._ticks_told = self._figures.ticks_total
        self._figures.tell_lag(lag)
        self._board.set_figures(
            lag_records=lag, rates={"ticks": round(rate, 1)}, latency_seconds=self._figures.latency_seconds()
        )
        return lags

    def _lags(self) -> dict[int, int]:
        """Give the records that wait, by partition; nothing while partitions move."""
        if not self._stage.partitions:
            return {}
        consumer = self._app.consumer
        assigned = consumer.assignment()
        lags = {}
        for partition, live in self._stage.partitions.items():
            tp = TP(self._topic_name, partition)
            highwater = consumer.highwater(tp) if tp in assigned else None
            if highwater is not None and live.continuity is not None:
                lags[partition] = max(0, highwater - live.continuity.next_offset)
        return lags
