"""Which of the workers of pytest-xdist this process is, and what each has to itself."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Worker:
    """One of the processes that run the tests of one session.

    Attributes:
        number: From 0.
        count: How many there are; 1 without pytest-xdist.
        beside_others: Whether pytest-xdist started this process.
    """

    number: int = 0
    count: int = 1
    beside_others: bool = False

    @classmethod
    def of_this_process(cls) -> "Worker":
        """Ask the environment."""
        name = os.environ.get("PYTEST_XDIST_WORKER", "")
        if not name:
            return cls()
        return cls(int(name.removeprefix("gw")), int(os.environ["PYTEST_XDIST_WORKER_COUNT"]), beside_others=True)

    def share_of(self, numbers: tuple[int, int]) -> tuple[int, int]:
        """Give this worker's share of a range; no two workers' overlap."""
        start, end = numbers
        size = (end - start) // self.count
        # A worker that takes the place of one that died has a higher number.
        first = start + self.number % self.count * size
        return first, first + size

    def common_folder(self, ours: Path) -> Path:
        """Give the temporary folder of the session, from that of this process."""
        return ours.parent if self.beside_others else ours
