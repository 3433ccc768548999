"""Whether this worker still holds its place in the consumer group."""

import time

from schemas.errors import RetryError

#: The broker may count the session from a little before we do.
MARGIN_SECONDS = 2.0


class LostPlaceError(RetryError):
    """Another worker may own our partitions by now: write nothing, end the process, begin again."""


class Membership:
    """The last group heartbeat and the generation, told by the consumer's thread."""

    def __init__(self, session_timeout_seconds: float) -> None:
        self._good_for_seconds = session_timeout_seconds - MARGIN_SECONDS
        self._heartbeat_at = float("-inf")
        self.generation = -1

    def beat(self, at: float, generation: int) -> None:
        """Note a heartbeat that the broker took.

        Args:
            at: When it was sent, on the monotonic clock, in seconds.
            generation: Of the group, as the coordinator knows it.
        """
        self._heartbeat_at = max(self._heartbeat_at, at)
        self.generation = generation

    def silent_seconds(self, now: float) -> float:
        """Say how old the last heartbeat is; infinite before the first.

        Args:
            now: A monotonic clock, in seconds.
        """
        return now - self._heartbeat_at

    def holds(self, generation: int, now: float) -> bool:
        """Tell whether what was taken under a generation may still be written."""
        return generation == self.generation and now - self._heartbeat_at < self._good_for_seconds

    def require(self, generation: int) -> None:
        """Check that this worker may write.

        Raises:
            LostPlaceError: It may not.
        """
        now = time.monotonic()
        if not self.holds(generation, now):
            raise LostPlaceError(
                f"lost the place in the group: taken under generation {generation}, now {self.generation}, "
                f"last heartbeat {now - self._heartbeat_at:.1f} s ago"
            )
