"""How long to wait before the next attempt: full jitter, so that not all clients of a gateway come at once."""

from dataclasses import dataclass, field
from random import Random


@dataclass
class Backoff:
    """Delays of one stream, each drawn from 0 up to a bound that doubles.

    Attributes:
        first_seconds: The bound after the first failure.
        longest_seconds: No bound is larger.
        steady_seconds: A connection that lasted this long starts at the first bound again.
    """

    random: Random
    first_seconds: float = 0.5
    longest_seconds: float = 30.0
    steady_seconds: float = 15.0
    _failures: int = field(default=0, init=False)

    def next_delay_seconds(self, lasted_seconds: float = 0.0) -> float:
        """Count a failure and give the delay after it."""
        self._failures = 1 if lasted_seconds >= self.steady_seconds else self._failures + 1
        bound = min(self.longest_seconds, self.first_seconds * 2.0 ** min(self._failures - 1, 30))
        return self.random.uniform(0.0, bound)
