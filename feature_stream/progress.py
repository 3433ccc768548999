"""Whether a partition moves while there is something to read, and how old what waits is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Silence:
    """A partition of which records wait while none is taken."""

    partition: int
    lag_records: int
    seconds: float
    topic: str = "ticks"


#: More than can be in front of anybody in the reader's queue, and on the way from there.
_MOST_IN_FRONT_BYTES = 100_663_296


@dataclass(frozen=True)
class Flow:
    """What a worker reads of all its partitions together.

    Attributes:
        read_bytes: So far.
        runs_dry: All that was there was taken a moment ago: nobody waits for his turn.
    """

    read_bytes: int = 0
    runs_dry: bool = True

    def holds_back(self, since_bytes: int) -> bool:
        """Tell whether a partition may still be behind others, of which none came since so many bytes were read."""
        return not self.runs_dry and self.read_bytes - since_bytes < _MOST_IN_FRONT_BYTES


class Progress:
    """For how long records of a partition have waited and none was taken."""

    def __init__(self, now: float) -> None:
        self._next_offset = -1
        self._moved_at = now
        self._moved_bytes = 0

    def idle_seconds(self, lag_records: int, next_offset: int, now: float, flow: Flow = Flow()) -> float:
        """Say how long nothing has been taken although records wait, and it was the partition's turn.

        Args:
            lag_records: Records that wait.
            next_offset: Of the next record to be taken.
            now: A monotonic clock, in seconds.
            flow: Of the whole worker.
        """
        if lag_records == 0 or next_offset != self._next_offset:
            self._next_offset, self._moved_bytes = next_offset, flow.read_bytes
            self._moved_at = now
        elif flow.holds_back(self._moved_bytes):
            self._moved_at = now
        return now - self._moved_at


class LagClock:
    """How old the oldest record of a partition is that was not taken yet, at most.

    It was appended after the last one taken, and after the last moment at which none waited. Before either is known,
    its age counts from when we began to look.
    """

    def __init__(self, now: float) -> None:
        self._none_waited_at = now
        self._known = False

    def lag_seconds(self, lag_records: int, taken_at: float | None, now: float) -> float:
        """Say how old it is; 0 where none waits.

        Args:
            lag_records: Records that wait.
            taken_at: Kafka's time of the last one taken by us, in seconds; None: we took none yet.
            now: A wall clock, in seconds.
        """
        if lag_records == 0:
            self._none_waited_at, self._known = now, True
            return 0.0
        if taken_at is None:
            return max(0.0, now - self._none_waited_at)
        return max(0.0, now - (max(taken_at, self._none_waited_at) if self._known else taken_at))
