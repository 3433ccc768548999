"""What the log of `ticks` says: the pure functions, run over all of it once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from confluent_kafka import Message

from feature_stream.advance import Absorbed, StageRules, absorb, provisional
from feature_stream.frames import CheckedFrame, bad_tick_value, read_frame
from feature_stream.state import PartitionState, TickerState
from feature_stream.table import partition_key
from schemas.dead_letters import DeadLetter
from schemas.topics import TICKS
from tests.chaos.contents import SaidFeatures, digest
from tests.chaos.market import TickDigest
from tests.chaos.states import KeptStates, partition_content


@dataclass
class Expected:
    """What the log says.

    Attributes:
        ticks: By partition, each source sequence once.
        frames_twice: Frames whose sequence came before; the stage passes over them.
        provisionals: Of the provisional events that were sent, what they should say, by id.
        states: Of the states that were kept, what they should be, by key and offset.
        last_offsets: Of each key, the offset of its last state.
        dead_letters: Original bytes and reason by id.
    """

    bars: dict[str, bytes] = field(default_factory=dict)
    finals: dict[str, bytes] = field(default_factory=dict)
    provisionals: dict[str, bytes] = field(default_factory=dict)
    states: dict[tuple[bytes, int], bytes] = field(default_factory=dict)
    last_offsets: dict[bytes, int] = field(default_factory=dict)
    dead_letters: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    ticks: dict[int, TickDigest] = field(default_factory=dict)
    frames_twice: int = 0


class Oracle:
    """Runs the log through the pure functions.

    Args:
        spoken: Tickers of which something provisional was sent, by partition and offset.
        kept: Keys of which a state was kept, likewise.
    """

    def __init__(
        self,
        rules: StageRules,
        spoken: Mapping[tuple[int, int], set[str]],
        kept: Mapping[tuple[int, int], set[bytes]],
    ) -> None:
        self._rules = rules
        self._spoken = spoken
        self._kept = kept
        self.expected = Expected()
        self._partition = PartitionState(-1)
        self._states: dict[str, TickerState] = {}

    def take(self, record: Message) -> None:
        """Take the next record of `ticks`; all of a partition come one after the other."""
        number, offset = record.partition(), record.offset()
        if number != self._partition.partition:
            self._partition, self._states = PartitionState(number), {}
        frame = read_frame(record.value())
        absorbed = absorb(self._partition, self._states, frame, offset, self._rules, 0)
        self._note_ticks(number, frame, absorbed)
        expected = self.expected
        expected.bars |= {bar.id: digest(bar) for bar in absorbed.bars}
        expected.finals |= {event.id: digest(event) for event in absorbed.features}
        self._note_dead_letters(number, offset, frame, absorbed)
        self._note_provisionals(number, offset)
        self._note_states(number, offset, absorbed)

    def _note_ticks(self, number: int, frame: CheckedFrame, absorbed: Absorbed) -> None:
        if absorbed.passed_over:
            self.expected.frames_twice += 1
            return
        ticks, frame_ = self.expected.ticks.setdefault(number, TickDigest()), frame.frame
        for tick in zip(frame_.tickers, frame_.times_ns, frame_.prices, frame_.sizes, strict=True):
            ticks.add(*tick)

    def _note_dead_letters(self, number: int, offset: int, frame: CheckedFrame, absorbed: Absorbed) -> None:
        for bad in absorbed.bad:
            value = bad_tick_value(frame, bad.index)
            letter = DeadLetter(
                value=value, reason=bad.reason, origin=TICKS.name, partition=number, offset=offset, index=bad.index
            )
            self.expected.dead_letters[letter.id] = (letter.value, letter.reason)

    def _note_provisionals(self, number: int, offset: int) -> None:
        for ticker in self._spoken.get((number, offset), ()):
            state = self._states.get(ticker)
            event = None if state is None else provisional(state, number, self._rules, 0)
            if event is not None:
                self.expected.provisionals[event.id] = digest(event)

    def _note_states(self, number: int, offset: int, absorbed: Absorbed) -> None:
        last = self.expected.last_offsets
        last[partition_key(number)] = offset
        last |= {ticker.encode(): self._states[ticker].offset for ticker in absorbed.dirty}
        for key in self._kept.get((number, offset), ()):
            if key == partition_key(number):
                self.expected.states[key, offset] = partition_content(self._partition)
            elif (state := self._states.get(key.decode())) is not None:
                self.expected.states[key, offset] = state.snapshot()


def expected_of(
    records: Iterable[Message],
    rules: StageRules,
    features: SaidFeatures,
    kept: KeptStates,
    home_of: Mapping[bytes, int],
) -> Expected:
    """Run a log through the pure functions, and note what is needed to judge what was said.

    Args:
        features: What was said of it.
        kept: What was kept of it.
        home_of: The partition of each key that was kept.
    """
    places: dict[tuple[int, int], set[bytes]] = {}
    for key, offset in kept.contents:
        places.setdefault((home_of[key], offset), set()).add(key)
    oracle = Oracle(rules, features.places, places)
    for record in records:
        oracle.take(record)
    return oracle.expected
