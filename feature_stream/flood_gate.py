"""Holds each record against the bound on bad inputs before anything of it is absorbed."""

from typing import Any

from feature_stream.arrival import Arrival
from feature_stream.flood import BadInputs, FloodBound
from feature_stream.frames import CheckedFrame
from feature_stream.judge import judge
from feature_stream.rules import StageRules
from feature_stream.state import PartitionState, TickerState
from feature_stream.ticks import BadTick, Reason


def timestamp_ms(read: Any) -> int:
    """Give Kafka's own time of a record; 0 where it has none."""
    return read.timestamp or 0


class FloodGate:
    """Lets records pass until there are too many bad inputs."""

    def __init__(self, bound: FloodBound, rules: StageRules) -> None:
        self._bound = bound
        self._rules = rules

    def require_record(self, record: PartitionState, read: Any) -> None:
        """Check that a record that is no frame may be dead-lettered.

        Raises:
            FloodError: It may not.
        """
        if self._bound.most:
            self._bound.require(record.bad_inputs, 1, record.partition, read.offset, timestamp_ms(read))

    def require_frame(
        self, record: PartitionState, states: dict[str, TickerState], frame: CheckedFrame, read: Any
    ) -> None:
        """Check that a frame may be absorbed. Its ticks are judged only where all of them would be too many.

        Raises:
            FloodError: It may not.
        """
        bound = self._bound
        inputs = len(frame.bad) + len(frame.frame.tickers)
        if not bound.most or inputs + record.bad_inputs.count <= bound.most:
            return
        at_ms = timestamp_ms(read)
        if inputs + bound.counted(record.bad_inputs, at_ms) > bound.most:
            bad = self._foresee(record, states, frame, read.offset)
            bound.require(record.bad_inputs, bad, record.partition, read.offset, at_ms)

    def count(self, record: PartitionState, bad: int, read: Any) -> None:
        """Note the bad inputs of a record that was absorbed; without a bound, forget those before it as well."""
        if self._bound.most:
            record.bad_inputs = self._bound.count(record.bad_inputs, bad, read.offset, timestamp_ms(read))
        else:
            record.bad_inputs = BadInputs()

    def count_ticks(self, record: PartitionState, bad: list[BadTick], read: Any) -> None:
        """Note the bad ticks of a frame that was absorbed; late ones do not count."""
        counting = sum(tick.reason is not Reason.LATE for tick in bad)
        if counting:
            self.count(record, counting, read)

    def _foresee(
        self, record: PartitionState, states: dict[str, TickerState], checked: CheckedFrame, offset: int
    ) -> int:
        """Count the bad ticks that `absorb` would find; changes nothing."""
        arrival = Arrival(record, states, checked.frame, offset, self._rules, 0)
        if offset <= record.offset or checked.frame.sequence <= arrival.mark.sequence:
            return 0  # it came before, and is passed over
        reasons = judge(arrival).reasons.values()
        return len(checked.bad) + sum(reason is not Reason.LATE for reason in reasons)
