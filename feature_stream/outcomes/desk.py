"""What a worker holds of its partitions, and what it does with each record of the two logs."""

import logging
import time
from collections.abc import Iterable
from typing import Any

from feature_stream.continuity import Verdict
from feature_stream.ledger import SettleRules, TickerLedger
from feature_stream.outcomes.events import read
from feature_stream.outcomes.figures import SettleFigures
from feature_stream.outcomes.forecasts import ForecastBook, OpenForecast
from feature_stream.outcomes.live import LiveSettling
from feature_stream.outputs import Outputs
from feature_stream.settle import Settled, take_bar, take_prediction
from feature_stream.stage import Cut
from feature_stream.turns import Side, Waiting
from schemas.codec import new_traceparent, traceparent_of
from schemas.dead_letters import DeadLetter
from schemas.events import Bar, Prediction
from schemas.partitioning import partition_of

_log = logging.getLogger(__name__)
#: Of one partition, after which the next has its turn.
_AT_A_STRETCH = 50


class Desk:
    """The live state of all partitions that this worker owns. Nothing here waits."""

    def __init__(
        self,
        rules: SettleRules,
        partition_count: int,
        outputs: Outputs,
        figures: SettleFigures,
        book: ForecastBook,
    ) -> None:
        self.partitions: dict[int, LiveSettling] = {}
        self._rules = rules
        self._partition_count = partition_count
        self._outputs = outputs
        self._figures = figures
        self._book = book

    def own(self, partition: int, live: LiveSettling) -> None:
        """Take over a partition with the state that the table has of it."""
        self.partitions[partition] = live

    def drop_all(self) -> None:
        """Forget everything: the table has it, or another worker says otherwise."""
        self.partitions.clear()
        self._book.clear()

    def take(self, event: Any, side: Side, records: Iterable[Any]) -> bool:
        """Take in records of one log of one partition, in order; what is due is settled by `settle`.

        Args:
            event: The Faust event that brought them.
            side: The log.
            records: As `TickReader` gives them; all are consumed.

        Returns:
            Whether to rewind the partition of this log: a record did not follow the last one.
        """
        live = self.partitions.get(event.message.partition)
        gap = False
        for record in records:
            lane = None if live is None else live.lanes[side]
            if live is None or lane is None or lane.continuity is None:
                continue  # not ours (any more): whoever owns it reads it from the table's offset
            verdict = lane.continuity.judge(record.offset, time.monotonic())
            if verdict is Verdict.REWIND:
                gap = True
                self._figures.gap()
            elif verdict is Verdict.TAKE:
                live.event = event
                live.turns.queues[side].append(read(side, record, self._partition_count))
        return gap

    def take_forecast(self, forecast: OpenForecast) -> None:
        """Take a forecast from a caller's prices; one of a ticker of another worker's is none of our business."""
        live = self.partitions.get(partition_of(forecast.ticker, self._partition_count))
        if live is None:
            return
        self._book.add(forecast)
        ledger = live.ledgers.get(forecast.ticker) or TickerLedger(forecast.ticker, live.record.partition)
        self._settle_forecasts(ledger)

    def settle(self, until: float) -> None:
        """Absorb all whose turn it is, but not much longer than until a time on the monotonic clock."""
        busy = list(self.partitions.values())
        while busy and time.monotonic() < until:
            busy = [live for live in busy if self._absorb_some(live)]

    def pass_loss(self, side: Side, partition: int, first_offset: int) -> None:
        """Pass a proved hole in a log, if there is one: bars show it by their index, predictions are missing.

        Args:
            side: The log.
            partition: Of it.
            first_offset: Of the first record that it still has.
        """
        live = self.partitions.get(partition)
        continuity = None if live is None else live.lanes[side].continuity
        if continuity is None:
            return
        lost = continuity.pass_to(first_offset) or continuity.pass_loss()
        if lost:
            _log.error("%s-%d: %d records are gone from the log", side.value, partition, lost)
            self._figures.lost(lost)

    def cut(self, partition: int) -> Cut | None:
        """Take the snapshots of all of a partition that changed since its last cut; None if nothing did."""
        live = self.partitions.get(partition)
        if live is None or not live.changed or live.event is None:
            return None
        ledgers = [live.ledgers[ticker] for ticker in sorted(live.dirty)]
        for ledger in ledgers:
            live.record.keep(ledger)
        live.dirty.clear()
        live.changed = False
        kept = [(ledger.ticker.encode(), ledger.stands_at, ledger.snapshot()) for ledger in ledgers]
        record = live.record
        return Cut(partition, live.generation, live.event, record.stands_at, record.snapshot(), kept)

    def open_predictions(self) -> int:
        """Count the predictions that are not settled yet."""
        return sum(len(ledger.open) for live in self.partitions.values() for ledger in live.ledgers.values())

    def _absorb_some(self, live: LiveSettling) -> bool:
        """Absorb a few records of a partition, so that others have their turn; tell whether there may be more."""
        for _ in range(_AT_A_STRETCH):
            side = live.turns.next_side(live.record, live.ledgers, self._rules, time.monotonic())
            if side is None:
                return False
            self._absorb(live, side, live.turns.queues[side].popleft())
        return True

    def _absorb(self, live: LiveSettling, side: Side, waiting: Waiting) -> None:
        if waiting.event is None:
            self._keep_bad(side, waiting)
        else:
            settled = self._step(live, waiting.event, waiting.offset)
            traceparent = traceparent_of(waiting.record.headers) or new_traceparent()
            for outcome in settled.outcomes:
                self._outputs.send_outcome(outcome, traceparent)
            if settled.outcomes and isinstance(waiting.event, Bar):
                self._figures.settled_after(waiting.event.closed_at_ns)
            self._figures.absorbed(side, settled)
            if isinstance(waiting.event, Bar):
                self._settle_forecasts(live.ledgers[waiting.event.ticker])
        live.advance(side, waiting)

    def _step(self, live: LiveSettling, event: Bar | Prediction, offset: int) -> Settled:
        ledger = live.ledgers.get(event.ticker)
        if ledger is None:
            ledger = live.ledgers[event.ticker] = TickerLedger(event.ticker, live.record.partition)
        live.dirty.add(event.ticker)
        if isinstance(event, Bar):
            return take_bar(ledger, event, offset, self._rules, time.time_ns())
        return take_prediction(ledger, event, offset, self._rules, time.time_ns())

    def _settle_forecasts(self, ledger: TickerLedger) -> None:
        for outcome, traceparent in self._book.settle(ledger, time.time_ns()):
            self._outputs.send_outcome(outcome, traceparent)

    def _keep_bad(self, side: Side, waiting: Waiting) -> None:
        record = waiting.record
        letter = DeadLetter(
            value=record.value or b"",
            reason=waiting.problem,
            origin=side.value,
            key=record.key,
            partition=record.partition,
            offset=record.offset,
        )
        _log.warning("dead letter %s: %s", letter.id, waiting.problem)
        self._figures.dead_letter(waiting.problem)
        self._outputs.send_dead_letter(letter)
