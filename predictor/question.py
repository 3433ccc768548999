"""What is asked of model sets: events, and all that decides the answer beside the set."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from predictor.age import NEVER_STALE, AgeRule
from predictor.batch import model_batch, reasons_unreadable
from predictor.models.base import Batch
from predictor.scoring_boards import ScoringBoards
from schemas.events import Features
from schemas.identity import USUAL_SIGNAL_SHARE


@dataclass(frozen=True)
class Question:
    """Events to predict. Two sets that are asked the same read the same arrays, which are made once.

    Attributes:
        boards: What is known of the members' errors and of the intervals; None: nothing.
        signal_share: Of a horizon's volatility, which a return must pass to be a signal.
        ages: From when on a set is stale.
    """

    events: Sequence[Features]
    horizons: tuple[int, ...]
    now_ns: int
    boards: ScoringBoards | None = None
    signal_share: float = USUAL_SIGNAL_SHARE
    ages: AgeRule = NEVER_STALE

    @cached_property
    def unreadable(self) -> dict[int, str]:
        """Give the reasons of those events that no models can read, by their place."""
        return reasons_unreadable(self.events)

    @cached_property
    def places(self) -> list[int]:
        """Give the places of the others."""
        return [place for place in range(len(self.events)) if place not in self.unreadable]

    @cached_property
    def rows(self) -> list[Features]:
        """Give the others."""
        return [self.events[place] for place in self.places]

    @cached_property
    def batch(self) -> Batch:
        """Give their arrays."""
        return model_batch(self.rows)
