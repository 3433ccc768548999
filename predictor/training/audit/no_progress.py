"""Fits without a progress bar: an audit makes dozens of them, and says itself how far it is."""

from predictor.training.fitting import Progress


class NoProgress(Progress):
    """Shows nothing."""

    def __init__(self) -> None:
        """Make no bar."""

    def step(self, what: str) -> None:
        """Pass over a step."""

    def expect_fewer(self, steps: int) -> None:
        """Likewise."""

    def close(self) -> None:
        """Have nothing to remove."""
