"""A clock that tests move, and a sleep that moves it."""


class ManualClock:
    """Seconds; sleeping is instant and remembered."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
