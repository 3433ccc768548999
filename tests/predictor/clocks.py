"""A clock that a test sets."""


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self, now_seconds: float = 0.0) -> None:
        self.now_seconds = now_seconds

    def __call__(self) -> float:
        return self.now_seconds
