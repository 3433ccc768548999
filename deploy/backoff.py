"""How long to wait before a part that died is started again."""

from dataclasses import dataclass, field


@dataclass
class Backoff:
    """Doubling delays of one part, from the first again once it ran for a while.

    Attributes:
        first_seconds: The delay after the first death.
        longest_seconds: No delay is longer.
        steady_seconds: A part that ran this long starts at the first delay again.
    """

    first_seconds: float = 0.5
    longest_seconds: float = 15.0
    steady_seconds: float = 30.0
    _deaths: int = field(default=0, init=False)

    def next_delay_seconds(self, ran_seconds: float = 0.0) -> float:
        """Count a death and give the delay after it."""
        self._deaths = 1 if ran_seconds >= self.steady_seconds else self._deaths + 1
        return min(self.longest_seconds, self.first_seconds * 2.0 ** min(self._deaths - 1, 30))
