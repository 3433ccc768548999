"""When a set is trained, and which one serves."""

from collections.abc import Callable
from dataclasses import dataclass, field

from predictor.artifacts import ModelSet

#: Trains a set on bars that end by a time.
TrainBefore = Callable[[int], ModelSet]


@dataclass(frozen=True, slots=True)
class Served:
    """A set, and the first date from which it predicted."""

    model_set: ModelSet
    from_ns: int


@dataclass
class Refits:
    """Trains before the first date, and again every so many dates.

    A set that serves as of a date has seen nothing that ends after the start of that date's bar: predictions as of
    its `train_end` would be in the sample.

    Attributes:
        every_dates: None: one training serves for all.
        length_ns: Of a bar.
        served: The sets so far, oldest first.
    """

    train_before: TrainBefore
    every_dates: int | None
    length_ns: int
    served: list[Served] = field(default_factory=list)
    _dates: int = 0

    def at(self, end_ns: int) -> ModelSet:
        """Give the set for predictions as of the end of the next date."""
        if not self.served or (self.every_dates is not None and self._dates % self.every_dates == 0):
            self.served.append(Served(self.train_before(end_ns - self.length_ns), end_ns))
        self._dates += 1
        return self.served[-1].model_set
