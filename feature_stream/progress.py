"""Whether the stage moves while there is something to read."""


class Progress:
    """Notice a consumer that has gone mute: records wait, and none is taken."""

    def __init__(self, patience_seconds: float) -> None:
        self._patience = patience_seconds
        self._taken_total = -1
        self._moved_at = float("-inf")

    def stuck(self, lag_records: int, taken_total: int, now: float) -> bool:
        """Tell whether nothing was taken for too long although records wait.

        Args:
            lag_records: Records that wait.
            taken_total: Records, ticks or whatever was taken so far.
            now: A monotonic clock, in seconds.
        """
        if lag_records == 0 or taken_total != self._taken_total:
            self._taken_total = taken_total
            self._moved_at = now
        return now - self._moved_at > self._patience
