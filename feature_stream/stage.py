"""What a worker holds of its partitions, and what it does with each record of `ticks`."""

import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from feature_stream.advance import StageRules, absorb, provisional
from feature_stream.continuity import Continuity, Verdict
from feature_stream.dead_letters import DeadLetters
from feature_stream.figures import StageFigures
from feature_stream.frames import CheckedFrame, read_frame
from feature_stream.outputs import Outputs
from feature_stream.pacing import Pacer
from feature_stream.state import PartitionState, TickerState, mark_lost
from schemas.codec import UndecodableError, new_traceparent, traceparent_of
from schemas.topics import TICKS

_log = logging.getLogger(__name__)
_SAY_PASSED_OVER_EVERY_SECONDS = 10.0


@dataclass
class LivePartition:
    """One partition as this worker holds it, under one generation of the group.

    Attributes:
        event: The last Faust event taken of it; the table needs one to write.
        changed: Something was absorbed since the last checkpoint.
    """

    record: PartitionState
    states: dict[str, TickerState]
    generation: int
    continuity: Continuity | None = None
    dirty: set[str] = field(default_factory=set)
    changed: bool = False
    event: Any = None


@dataclass(frozen=True)
class Cut:
    """What a checkpoint must keep of one partition: snapshots as they stood at one moment."""

    partition: int
    generation: int
    event: Any
    offset: int
    record: bytes
    tickers: list[tuple[bytes, int, bytes]]


class Stage:
    """The live state of all partitions that this worker owns. Nothing here waits."""

    def __init__(self, rules: StageRules, outputs: Outputs, update_interval_ms: int, figures: StageFigures) -> None:
        self.partitions: dict[int, LivePartition] = {}
        self._rules = rules
        self._outputs = outputs
        self._figures = figures
        self._every_frame = update_interval_ms == 0
        self._pacer = Pacer(update_interval_ms / 1_000)
        self._dead_letters = DeadLetters(outputs, figures)
        self._homes: dict[str, int] = {}
        self._say_passed_over_at = 0.0

    def own(self, partition: int, live: LivePartition) -> None:
        """Take over a partition with the state that the table has of it."""
        self.partitions[partition] = live
        self._homes.update(dict.fromkeys(live.states, partition))

    def drop_all(self) -> None:
        """Forget everything: the table has it, or another worker says otherwise."""
        for ticker in self._homes:
            self._pacer.forget(ticker)
        self.partitions.clear()
        self._homes.clear()

    def take(self, events: Iterable[Any]) -> list[int]:
        """Absorb a micro-batch, in order.

        Returns:
            Partitions to rewind: a record of each did not follow the last one.
        """
        gaps = []
        touched: dict[str, str] = {}
        for event in events:
            message = event.message
            live = self.partitions.get(message.partition)
            if live is None or live.continuity is None:
                continue  # not ours (any more): whoever owns it reads it from the table's offset
            verdict = live.continuity.judge(message.offset, time.monotonic())
            if verdict is Verdict.REWIND:
                gaps.append(message.partition)
            elif verdict is Verdict.TAKE:
                self._take_record(live, event, touched)
        self._speak_of(touched)
        return gaps

    def speak_due(self) -> None:
        """Send the provisional features whose turn has come."""
        for ticker in self._pacer.due(time.monotonic()):
            self._send_provisional(ticker, new_traceparent())

    def waiting(self) -> Iterator[tuple[int, Continuity]]:
        """Give the partitions that wait for a wanted record."""
        for partition, live in self.partitions.items():
            if live.continuity is not None and live.continuity.waiting:
                yield partition, live.continuity

    def pass_loss(self, partition: int, first_offset: int) -> None:
        """Pass a proved hole in the log, if there is one; open bars become partial.

        Args:
            partition: It.
            first_offset: Of the first record that its log still has.
        """
        live = self.partitions.get(partition)
        if live is None or live.continuity is None:
            return
        lost = live.continuity.pass_to(first_offset) or live.continuity.pass_loss()
        if lost:
            _log.error("%s-%d: %d records are gone from the log; open bars are partial", TICKS.name, partition, lost)
            self._figures.records_lost.inc(lost)
            live.dirty.update(mark_lost(live.states, live.continuity.next_offset))
            live.changed = True

    def cut(self) -> list[Cut]:
        """Take the snapshots of everything that changed since the last cut."""
        cuts = []
        for partition, live in self.partitions.items():
            if not live.changed or live.event is None:
                continue
            tickers = [
                (ticker.encode(), live.states[ticker].offset, live.states[ticker].snapshot())
                for ticker in sorted(live.dirty)
            ]
            record = live.record
            cuts.append(Cut(partition, live.generation, live.event, record.offset, record.snapshot(), tickers))
            live.dirty.clear()
            live.changed = False
        return cuts

    def _take_record(self, live: LivePartition, event: Any, touched: dict[str, str]) -> None:
        message = event.message
        live.event, live.changed = event, True
        try:
            frame = read_frame(message.value)
        except UndecodableError as error:
            self._dead_letters.send_record(message, f"undecodable: {error}")
            live.record.offset = message.offset
            return
        traceparent = traceparent_of(message.headers) or new_traceparent()
        absorbed = absorb(live.record, live.states, frame, message.offset, self._rules, time.time_ns())
        for bad in absorbed.bad:
            self._dead_letters.send_tick(message, frame, bad)
        for bar in absorbed.bars:
            self._outputs.send_bar(bar, traceparent)
        for features in absorbed.features:
            self._outputs.send_features(features, traceparent)
        live.dirty |= absorbed.dirty
        self._homes.update(dict.fromkeys(absorbed.touched, message.partition))
        self._figures.absorbed(absorbed, frame.ingested_at_ns)
        if absorbed.passed_over:
            self._say_passed_over(message, frame)
        if self._every_frame:
            for ticker in absorbed.touched:
                self._send_provisional(ticker, traceparent)
        else:
            touched.update(dict.fromkeys(absorbed.touched, traceparent))

    def _say_passed_over(self, message: Any, frame: CheckedFrame) -> None:
        now = time.monotonic()
        if now >= self._say_passed_over_at:
            self._say_passed_over_at = now + _SAY_PASSED_OVER_EVERY_SECONDS
            place = f"{TICKS.name}-{message.partition} offset {message.offset}"
            text = "%s: sequence %d of source %s came before: passed over (a metric counts them)"
            _log.warning(text, place, frame.frame.sequence, frame.frame.source)

    def _speak_of(self, touched: dict[str, str]) -> None:
        now = time.monotonic()
        for ticker, traceparent in touched.items():
            if self._pacer.touch(ticker, now):
                self._send_provisional(ticker, traceparent)

    def _send_provisional(self, ticker: str, traceparent: str) -> None:
        partition = self._homes.get(ticker)
        if partition is None:
            return
        state = self.partitions[partition].states[ticker]
        features = provisional(state, partition, self._rules, time.time_ns())
        if features is not None:
            self._outputs.send_features(features, traceparent)
            self._figures.spoke(features)
