"""Looks after the worker that settles predictions."""

import time
from collections import Counter
from collections.abc import Mapping

import faust
from faust.types import TP

from feature_stream.healing import Guard, Healer
from feature_stream.log_ends import LogEnds
from feature_stream.membership import Membership
from feature_stream.outcomes.desk import Desk
from feature_stream.outcomes.figures import RATES, SettleFigures
from feature_stream.outcomes.settings import OutcomesSettings
from feature_stream.outcomes.sources import Source, Throttle
from feature_stream.progress import LagClock
from feature_stream.recovery_times import RecoveryTimes
from feature_stream.turns import Side
from feature_stream.vitals import Signs
from feature_stream.watch import WorkerWatch
from schemas.status import StatusBoard

#: By log and partition.
Lags = dict[Side, dict[int, int]]


class DeskWatch(WorkerWatch):
    """Heals each log, bounds what waits, and tells figures.

    Bars that wait for predictions are a lag, and no trouble: only what is not read though it is there is.
    """

    def __init__(
        self,
        settings: OutcomesSettings,
        desk: Desk,
        figures: SettleFigures,
        app: faust.App,
        topics: Mapping[Side, str],
        *,
        board: StatusBoard,
        membership: Membership,
        guard: Guard,
    ) -> None:
        super().__init__(settings, RecoveryTimes(figures, "records"), app, board, membership)
        self.healers = {
            side: Healer(Source(desk, side), figures, app, name, guard, source=side.value)
            for side, name in topics.items()
        }
        self._ends = {side: LogEnds(app, name) for side, name in topics.items()}
        self._throttle = Throttle(desk, app, topics, guard)
        self._desk = desk
        self._figures = figures
        self._topics = topics
        self._told: Counter[str] = Counter()
        self._clocks: dict[tuple[Side, int], LagClock] = {}

    def _heal(self, now: float) -> None:
        for healer in self.healers.values():
            healer.heal(now)
        self._throttle.look(now)

    def _tell(self, seconds: float, now: float) -> Signs:
        unread, unabsorbed = self._lags()
        self._tell_figures(unabsorbed, seconds)
        silences = [healer.watch(unread[side], now) for side, healer in self.healers.items()]
        longest = max((each for each in silences if each is not None), key=lambda each: each.seconds, default=None)
        answers = [ends.silent_seconds(now) for ends in self._ends.values()]
        return Signs(longest, answer_seconds=max(answers), asked=" and ".join(side.value for side in Side))

    def _lags(self) -> tuple[Lags, Lags]:
        """Give the records that are there and not read, and those that are not absorbed; none while partitions move."""
        unread: Lags = {side: {} for side in Side}
        unabsorbed: Lags = {side: {} for side in Side}
        for side, name in self._topics.items():
            self._ends[side].ask(set(self._desk.partitions))
            for partition, live in self._desk.partitions.items():
                tp, lane = TP(name, partition), live.lanes[side]
                if lane.continuity is not None and tp in self._app.consumer.assignment():
                    end = max(self._app.consumer.highwater(tp), self._ends[side].end(partition))
                    behind = max(0, end - lane.continuity.next_offset)
                    unread[side][partition] = 0 if lane.paused else behind
                    unabsorbed[side][partition] = behind + len(live.turns.queues[side])
        return unread, unabsorbed

    def _tell_figures(self, lags: Lags, seconds: float) -> None:
        figures, held = self._figures, dict.fromkeys(Side, 0)
        for live in self._desk.partitions.values():
            for side, queue in live.turns.queues.items():
                held[side] += len(queue)
        records = {side: sum(lags[side].values()) for side in Side}
        ages = self._lag_seconds(lags, time.time())
        figures.tell_lag(records, ages)
        figures.tell_work(len(self._desk.partitions), self._desk.open_predictions(), held)
        totals = figures.all_totals()
        rates = {name: round((totals[name] - self._told[name]) / seconds, 1) for name in RATES}
        self._told.update({name: totals[name] - self._told[name] for name in RATES})
        self._board.set_figures(
            lag_records=sum(records.values()),
            lag_seconds=round(max(ages.values()), 3),
            rates=rates,
            latency_seconds=figures.latency_seconds(),
            totals=totals,
        )

    def _lag_seconds(self, lags: Lags, now: float) -> dict[Side, float]:
        """Give the age of the oldest record that is not absorbed, at most, by log."""
        places = [(side, partition) for side in Side for partition in lags[side]]
        self._clocks = {place: self._clocks.get(place) or LagClock(now) for place in places}
        ages = dict.fromkeys(Side, 0.0)
        for side, partition in places:
            newest_ms = self._desk.partitions[partition].lanes[side].newest_record_ms
            taken_at = None if newest_ms is None else newest_ms / 1_000
            age = self._clocks[side, partition].lag_seconds(lags[side][partition], taken_at, now)
            ages[side] = max(ages[side], age)
        return ages
