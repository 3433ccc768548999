"""What a worker holds of its partitions, and what it does with each record of `ticks`."""

import logging
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from feature_stream.advance import StageRules, absorb, provisionals, to_send
from feature_stream.continuity import Continuity, Verdict
from feature_stream.dead_letters import DeadLetters
from feature_stream.figures import UNDECODABLE, StageFigures
from feature_stream.flood import NO_BOUND, FloodBound
from feature_stream.flood_gate import FloodGate
from feature_stream.frames import CheckedFrame, read_frame
from feature_stream.outputs import Outputs
from feature_stream.pacing import Pacer
from feature_stream.quiet_lane import QuietLane
from feature_stream.state import PartitionState, TickerState, mark_lost
from schemas.codec import Headers, UndecodableError, new_traceparent, traceparent_of
from schemas.topics import TICKS

_log = logging.getLogger(__name__)
_SAY_PASSED_OVER_EVERY_SECONDS = 10.0
#: Frames whose headers are kept for the features that wait for their turn: of the last seconds.
_FRAMES_WITH_HEADERS = 2_000


@dataclass
class LivePartition:
    """One partition as this worker holds it, under one generation of the group.

    Attributes:
        lane: The fast way of its frames; it may know more than `states` until they are settled.
        event: The last Faust event taken of it; the table needs one to write.
        newest_record_ms: Kafka's own time of the last record absorbed; None: none in this life, or it has none.
        changed: Something was absorbed since the last checkpoint.
    """

    record: PartitionState
    states: dict[str, TickerState]
    generation: int
    continuity: Continuity | None = None
    dirty: set[str] = field(default_factory=set)
    changed: bool = False
    event: Any = None
    newest_record_ms: int | None = None
    lane: QuietLane = field(init=False)

    def __post_init__(self) -> None:
        """Make the lane."""
        self.lane = QuietLane(self.states)

    def change(self, event: Any, record: Any) -> None:
        """Note that a record is about to be absorbed.

        Args:
            event: That brought it.
            record: As `TickReader` gives it.
        """
        self.event, self.changed, self.newest_record_ms = event, True, record.timestamp

    def settle(self) -> None:
        """Bring all states up to date, and note which must be kept."""
        self.lane.settle_all()
        self.dirty.update(self.lane.take_dirty())

    def settled(self, tickers: Collection[str]) -> list[TickerState]:
        """Give the states of some tickers, up to date."""
        self.lane.settle(tickers)
        return [self.states[ticker] for ticker in tickers]


#: Key of a ticker in the table, the offset at which its state stands, its snapshot.
Kept = tuple[bytes, int, bytes]


@dataclass(frozen=True)
class Cut:
    """What a checkpoint must keep of one partition: snapshots as they stood at one moment."""

    partition: int
    generation: int
    event: Any
    offset: int
    record: bytes
    tickers: list[Kept]


class Stage:
    """The live state of all partitions that this worker owns. Nothing here waits."""

    def __init__(
        self,
        rules: StageRules,
        outputs: Outputs,
        update_interval_ms: int,
        figures: StageFigures,
        flood: FloodBound = NO_BOUND,
    ) -> None:
        self.partitions: dict[int, LivePartition] = {}
        self._rules = rules
        self._outputs = outputs
        self._figures = figures
        self._every_frame = update_interval_ms == 0
        self._update_interval_seconds = update_interval_ms / 1_000
        self._pacers: dict[int, Pacer] = {}
        self._dead_letters = DeadLetters(outputs, figures)
        self._gate = FloodGate(flood, rules)
        #: Of the last records that have headers, by partition and offset.
        self._headers: dict[tuple[int, int], Headers] = {}
        #: Of what is being said: traces that were asked for.
        self._traceparents: dict[tuple[int, int], str] = {}
        self._say_passed_over_at = 0.0

    def own(self, partition: int, live: LivePartition) -> None:
        """Take over a partition with the state that the table has of it."""
        self.partitions[partition] = live
        self._pacers[partition] = Pacer(self._update_interval_seconds)

    def drop_all(self) -> None:
        """Forget everything: the table has it, or another worker says otherwise."""
        self.partitions.clear()
        self._pacers.clear()
        self._headers.clear()

    def take(self, event: Any, records: Iterable[Any]) -> bool:
        """Absorb a micro-batch of one partition, in order.

        Args:
            event: The Faust event that brought it.
            records: As `TickReader` gives them; all are consumed.

        Returns:
            Whether to rewind the partition: a record did not follow the last one.

        Raises:
            FloodError: Too many bad inputs: all before that record is absorbed, and may be kept.
        """
        live = self.partitions.get(event.message.partition)
        gap = False
        touched: dict[str, None] = {}
        for record in records:
            if live is None or live.continuity is None:
                continue  # not ours (any more): whoever owns it reads it from the table's offset
            verdict = live.continuity.judge(record.offset, time.monotonic())
            if verdict is Verdict.REWIND:
                gap = True
                self._figures.gap()
            elif verdict is Verdict.TAKE:
                self._take_record(live, event, record, touched)
        if live is not None:
            touched.update(dict.fromkeys(live.lane.take_touched()))
            self._speak(live, self._pacers[live.record.partition].touch(touched, time.monotonic()))
        self._traceparents.clear()
        self._figures.micro_batch()
        return gap

    def speak_due(self) -> None:
        """Send the provisional features whose turn has come."""
        for partition, pacer in self._pacers.items():
            self._speak(self.partitions[partition], pacer.due(time.monotonic()))
        self._traceparents.clear()

    def oldest_unsaid_seconds(self) -> float:
        """Say for how long, at most, a ticker has had ticks that no feature event tells of."""
        now = time.monotonic()
        return max((pacer.oldest_wait_seconds(now) for pacer in self._pacers.values()), default=0.0)

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
            self._figures.lost(lost)
            live.settle()
            live.dirty.update(mark_lost(live.states, live.continuity.next_offset))
            live.changed = True

    def cut(self, partition: int) -> Cut | None:
        """Take the snapshots of all of a partition that changed since its last cut; None if nothing did."""
        live = self.partitions.get(partition)
        if live is None or not live.changed or live.event is None:
            return None
        live.settle()
        tickers = [
            (ticker.encode(), live.states[ticker].offset, live.states[ticker].snapshot())
            for ticker in sorted(live.dirty)
        ]
        record = live.record
        for ticker in live.dirty:
            record.keep(ticker, live.states[ticker].offset)
        live.dirty.clear()
        live.changed = False
        return Cut(partition, live.generation, live.event, record.offset, record.snapshot(), tickers)

    def _take_record(self, live: LivePartition, event: Any, record: Any, touched: dict[str, None]) -> None:
        try:
            frame = read_frame(record.value)
        except UndecodableError as error:
            self._gate.require_record(live.record, record)
            live.change(event, record)
            self._dead_letters.send_record(record, f"{UNDECODABLE}: {error}")
            self._gate.count(live.record, 1, record)
            live.record.offset = record.offset
            return
        self._gate.require_frame(live.record, live.states, frame, record)
        live.change(event, record)
        if record.headers:
            self._keep_headers(record)
        lane = None if self._every_frame else live.lane
        absorbed = absorb(live.record, live.states, frame, record.offset, self._rules, time.time_ns(), lane)
        for bad in absorbed.bad:
            self._dead_letters.send_tick(record, frame, bad)
        if absorbed.bad:
            self._gate.count_ticks(live.record, absorbed.bad, record)
        for bar in absorbed.bars:
            self._outputs.send_bar(bar, self._traceparent(record.partition, record.offset))
        for features in absorbed.features:
            event = to_send(features, live.states[features.ticker])
            self._outputs.send_features(event, self._traceparent(record.partition, record.offset))
        live.dirty |= absorbed.dirty
        self._figures.absorbed(absorbed, frame.ingested_at_ns)
        if absorbed.passed_over:
            self._say_passed_over(record, frame)
        if self._every_frame:
            self._speak(live, absorbed.touched)
        else:
            touched.update(dict.fromkeys(absorbed.touched))

    def _keep_headers(self, record: Any) -> None:
        if len(self._headers) >= _FRAMES_WITH_HEADERS:
            del self._headers[next(iter(self._headers))]
        self._headers[record.partition, record.offset] = record.headers

    def _traceparent(self, *place: int) -> str:
        """Give the trace of a record, made when first asked for: most frames say nothing by themselves.

        Args:
            place: Its partition and offset.
        """
        partition, offset = place
        traceparent = self._traceparents.get((partition, offset))
        if traceparent is None:
            traceparent = traceparent_of(self._headers.get((partition, offset))) or new_traceparent()
            self._traceparents[partition, offset] = traceparent
        return traceparent

    def _say_passed_over(self, record: Any, frame: CheckedFrame) -> None:
        now = time.monotonic()
        if now >= self._say_passed_over_at:
            self._say_passed_over_at = now + _SAY_PASSED_OVER_EVERY_SECONDS
            place = f"{TICKS.name}-{record.partition} offset {record.offset}"
            text = "%s: sequence %d of source %s came before: passed over (a metric counts them)"
            _log.warning(text, place, frame.frame.sequence, frame.frame.source)

    def _speak(self, live: LivePartition, tickers: Collection[str]) -> None:
        """Send the provisional features of tickers of one partition."""
        if not tickers:
            return
        now_ns, ingested_at_ns = time.time_ns(), []
        for event in provisionals(live.settled(tickers), live.record.partition, self._rules, now_ns):
            self._outputs.send_features(event, self._traceparent(event.source_partition, event.source_offset))
            ingested_at_ns.append(event.ingested_at_ns)
        self._figures.spoke(ingested_at_ns, now_ns)
