"""Whether a partition moves while there is something to read."""


class Progress:
    """For how long records of a partition have waited and none was taken."""

    def __init__(self, now: float) -> None:
        self._next_offset = -1
        self._moved_at = now

    def idle_seconds(self, lag_records: int, next_offset: int, now: float) -> float:
        """Say how long nothing has been taken although records wait.

        Args:
            lag_records: Records that wait.
            next_offset: Of the next record to be taken.
            now: A monotonic clock, in seconds.
        """
        if lag_records == 0 or next_offset != self._next_offset:
            self._next_offset = next_offset
            self._moved_at = now
        return now - self._moved_at
