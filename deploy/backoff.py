"""How long to wait before a part that died is started again."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Doubling delays, forgotten by a part that ran for a while.

    Attributes:
        first_seconds: The delay after the first death.
        longest_seconds: No delay is longer.
        steady_seconds: A part that ran this long starts at the first delay again.
    """

    first_seconds: float = 0.5
    longest_seconds: float = 15.0
    steady_seconds: float = 30.0

    def deaths(self, before: int, ran_seconds: float) -> int:
        """Count a death: one more in a row, or the first of a new row."""
        return 1 if ran_seconds >= self.steady_seconds else before + 1

    def delay_seconds(self, deaths: int) -> float:
        """Give the delay after the nth death in a row, n from 1."""
        return min(self.longest_seconds, self.first_seconds * 2.0 ** min(deaths - 1, 30))
