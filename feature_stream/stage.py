"""What a worker holds of its partitions, and what it does with each record of `ticks`."""

import logging
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from feature_stream.advance import BadTick, StageRules, absorb, provisional
from feature_stream.continuity import Continuity, Verdict
from feature_stream.figures import StageFigures
from feature_stream.frames import CheckedFrame, bad_tick_value, read_frame
from feature_stream.outputs import Outputs
from feature_stream.pacing import Pacer
from feature_stream.state import PartitionState, TickerState, mark_lost
from schemas.codec import UndecodableError, new_traceparent
from schemas.dead_letters import DeadLetter
from schemas.topics import TICKS

_log = logging.getLogger(__name__)
_SAY_EVERY_SECONDS = 0.1
_is_traceparent = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}").fullmatch


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
        self._homes: dict[str, int] = {}
        self.records_taken = 0
        self._say_again_at = 0.0
        self._unsaid = 0

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

    def waiting(self) -> Iterator[tuple[int, LivePartition, Continuity]]:
        """Give the partitions that wait for a wanted record."""
        for partition, live in self.partitions.items():
            if live.continuity is not None and live.continuity.waiting:
                yield partition, live, live.continuity

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
        self.records_taken += 1
        try:
            frame = read_frame(message.value)
        except UndecodableError as error:
            self._dead_letter(message, message.value or b"", f"undecodable: {error}", None)
            live.record.offset = message.offset
            return
        traceparent = _traceparent_of(message)
        absorbed = absorb(live.record, live.states, frame, message.offset, self._rules, time.time_ns())
        for bad in absorbed.bad:
            self._dead_letter_tick(message, frame, bad)
        for bar in absorbed.bars:
            self._outputs.send_bar(bar, traceparent)
        for features in absorbed.features:
            self._outputs.send_features(features, traceparent)
        live.dirty |= absorbed.dirty
        self._homes.update(dict.fromkeys(absorbed.touched, message.partition))
        self._figures.absorbed(absorbed, frame.ingested_at_ns)
        if self._every_frame:
            for ticker in absorbed.touched:
                self._send_provisional(ticker, traceparent)
        else:
            touched.update(dict.fromkeys(absorbed.touched, traceparent))

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

    def _dead_letter_tick(self, message: Any, frame: CheckedFrame, bad: BadTick) -> None:
        self._dead_letter(message, bad_tick_value(frame, bad.index), bad.reason, bad.index)

    def _dead_letter(self, message: Any, value: bytes, reason: str, index: int | None) -> None:
        letter = DeadLetter(
            value=value,
            reason=reason,
            origin=TICKS.name,
            key=message.key,
            partition=message.partition,
            offset=message.offset,
            index=index,
        )
        self._figures.dead_letter(reason)
        self._say_bad(letter.id, reason)
        self._outputs.send_dead_letter(letter)

    def _say_bad(self, letter_id: str, reason: str) -> None:
        """Log what is bad, but not every tick of a flood: the metric counts them all."""
        now = time.monotonic()
        self._unsaid += 1
        if now >= self._say_again_at:
            more = f" (and {self._unsaid - 1} more)" if self._unsaid > 1 else ""
            _log.warning("dead letter %s: %s%s", letter_id, reason, more)
            self._say_again_at, self._unsaid = now + _SAY_EVERY_SECONDS, 0


def _traceparent_of(message: Any) -> str:
    """Give the trace that a record came with; a new one where it has none, or one that is none."""
    headers = message.headers or ()
    pairs = headers.items() if isinstance(headers, dict) else headers
    for name, value in pairs:
        if name == "traceparent" and _is_traceparent(value or b""):
            return str(value.decode())
    return new_traceparent()
