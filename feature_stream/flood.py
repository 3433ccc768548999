"""A flood of bad inputs ends the stage: what comes after it is better not absorbed until a human has looked."""

from dataclasses import dataclass

from msgspec import Struct

from schemas.errors import StopAndSayError
from schemas.topics import TICKS


class FloodError(StopAndSayError):
    """More bad inputs than are borne; nothing of the record that brings one too many was absorbed."""


class BadInputs(Struct, array_like=True):
    """The bad inputs of one partition since the window opened; kept with its state, so that a restart counts on.

    Attributes:
        since_ms: Kafka's timestamp of the record that opened the window; -1: none is open.
        first_offset: Of the first record with a bad input in the window.
        last_offset: Of the last one absorbed.
    """

    since_ms: int = -1
    count: int = 0
    first_offset: int = -1
    last_offset: int = -1


@dataclass(frozen=True)
class FloodBound:
    """How many bad inputs of a partition are borne in a window; 0: any number, and nobody counts.

    A bad input is a record that is no frame, or one bad tick of a frame; late ticks are none. A window opens with a bad
    input and lasts for some seconds by the timestamps of the records, so that where the stage stops is a function
    of the log: another start, or another worker, stops at the same record.
    """

    most: int
    seconds: float

    def counted(self, window: BadInputs, timestamp_ms: int) -> int:
        """Count what has come in the window that a record falls in, before it."""
        return window.count if self._is_open(window, timestamp_ms) else 0

    def count(self, window: BadInputs, bad: int, offset: int, timestamp_ms: int) -> BadInputs:
        """Give the window after a record with some bad inputs was absorbed."""
        if not self._is_open(window, timestamp_ms):
            return BadInputs(timestamp_ms, bad, offset, offset)
        return BadInputs(window.since_ms, window.count + bad, window.first_offset, offset)

    def require(self, window: BadInputs, bad: int, partition: int, offset: int, timestamp_ms: int) -> None:
        """Check that a record's bad inputs are borne, before anything of it is absorbed.

        Raises:
            FloodError: They are too many.
        """
        before = self.counted(window, timestamp_ms)
        if bad and before + bad > self.most:
            raise FloodError(self._what_and_where(window, before, bad, f"{TICKS.name}-{partition}", offset))

    def _is_open(self, window: BadInputs, timestamp_ms: int) -> bool:
        return window.count > 0 and timestamp_ms - window.since_ms < self.seconds * 1_000

    def _what_and_where(self, window: BadInputs, before: int, bad: int, place: str, offset: int) -> str:
        were = f"{before} from {place}@{window.first_offset} to {place}@{window.last_offset}, and " if before else ""
        return (
            f"more than {self.most} bad inputs within {self.seconds:g} s (TICKCAST_BAD_INPUTS_BOUND, "
            f"TICKCAST_BAD_INPUTS_SECONDS): {were}{bad} more in {place}@{offset}. What came before that record is "
            "absorbed and kept, that record and what follows is not. Mend the producer, look at `tickcast dead-letters "
            "list`, then start with a higher TICKCAST_BAD_INPUTS_BOUND, or 0 for none, until the flood is passed: with "
            "the same one the stage stops here again"
        )


NO_BOUND = FloodBound(0, 60.0)
