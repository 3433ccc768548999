"""What the stage says of itself: lag, rates, latency, totals."""

import time
from collections import Counter

import faust
from faust.types import TP

from feature_stream.figures import StageFigures
from feature_stream.log_ends import LogEnds
from feature_stream.progress import LagClock
from feature_stream.stage import Stage
from schemas.status import StatusBoard

_RATES = ("ticks", "frames", "bars", "finals", "provisionals")


class Teller:
    """Puts the stage's figures on the board and into the metrics."""

    def __init__(
        self, stage: Stage, figures: StageFigures, app: faust.App, topic_name: str, board: StatusBoard
    ) -> None:
        self.ends = LogEnds(app, topic_name)
        self._stage = stage
        self._figures = figures
        self._app = app
        self._topic_name = topic_name
        self._board = board
        self._told: Counter[str] = Counter()
        self._clocks: dict[int, LagClock] = {}

    def tell(self, seconds: float) -> dict[int, int]:
        """Tell the figures of the last so many seconds; to be called about once a second, also when nothing comes.

        Returns:
            Records that wait, by partition.
        """
        lags = self._lags()
        lag, lag_seconds = sum(lags.values()), self._lag_seconds(lags, time.time())
        self._figures.tell_lag(lag, lag_seconds)
        self._figures.tell_work(len(self._stage.partitions), self._stage.oldest_unsaid_seconds())
        totals = self._figures.all_totals()
        rates = {name: round((totals[name] - self._told[name]) / seconds, 1) for name in _RATES}
        self._told.update({name: totals[name] - self._told[name] for name in _RATES})
        self._board.set_figures(
            lag_records=lag,
            lag_seconds=round(lag_seconds, 3),
            rates=rates,
            latency_seconds=self._figures.latency_seconds(),
            totals=totals,
        )
        return lags

    def _lags(self) -> dict[int, int]:
        """Give the records that wait, by partition; nothing while partitions move."""
        self.ends.ask(set(self._stage.partitions))
        if not self._stage.partitions:
            return {}
        consumer = self._app.consumer
        assigned = consumer.assignment()
        lags = {}
        for partition, live in self._stage.partitions.items():
            tp = TP(self._topic_name, partition)
            if tp in assigned and live.continuity is not None:
                end = max(consumer.highwater(tp) or 0, self.ends.end(partition))
                lags[partition] = max(0, end - live.continuity.next_offset)
        return lags

    def _lag_seconds(self, lags: dict[int, int], now: float) -> float:
        """Give the age of the oldest record that waits, at most."""
        self._clocks = {partition: self._clocks.get(partition) or LagClock(now) for partition in lags}
        ages = [
            self._clocks[partition].lag_seconds(lag, self._taken_at(partition), now) for partition, lag in lags.items()
        ]
        return max(ages, default=0.0)

    def _taken_at(self, partition: int) -> float | None:
        newest_ms = self._stage.partitions[partition].newest_record_ms
        return None if newest_ms is None else newest_ms / 1_000
