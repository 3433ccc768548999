"""How long an assignment takes to become work."""

from feature_stream.worker_figures import WorkerFigures


class RecoveryTimes:
    """Times from an assignment of partitions on; clocks are monotonic, in seconds."""

    def __init__(self, figures: WorkerFigures, counted: str = "frames") -> None:
        """Take where it is told.

        Args:
            figures: They.
            counted: Of the totals, the one of records absorbed.
        """
        self._figures = figures
        self._counted = counted
        self._assigned_at: float | None = None
        self._frames_before: int | None = None

    def assigned(self, now: float) -> None:
        """Begin to count."""
        self._assigned_at, self._frames_before = now, None

    def state_read(self, now: float) -> None:
        """Note that the state is read back."""
        if self._assigned_at is not None:
            self._figures.recovery_seconds.labels("state").observe(now - self._assigned_at)
            self._frames_before = self._figures.totals[self._counted]

    def look(self, now: float) -> None:
        """Note the first record that was absorbed since; to be called often."""
        if self._assigned_at is None or self._frames_before is None:
            return
        if self._figures.totals[self._counted] > self._frames_before:
            self._figures.recovery_seconds.labels("first_record").observe(now - self._assigned_at)
            self._assigned_at = self._frames_before = None
