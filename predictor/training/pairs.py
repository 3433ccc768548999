"""What two model sets said of the same outcomes, as arrays."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predictor.manifest import Manifest
from schemas.events import Outcome
from schemas.features import VOLATILITY_FLOOR

FloatArray = NDArray[np.float64]

#: The name of the whole set's forecast in `Outcome.shadow`, beside its members'.
ENSEMBLE = "ensemble"


@dataclass(frozen=True, slots=True)
class Pairs:
    """Outcomes of which two sets have spoken, n of them; all returns are log returns.

    Attributes:
        horizons: All that the sets predict, ascending. The first one is tested.
        horizon: (n,) of each outcome.
        matured_ns: (n,) close of the bar that it ends with; outcomes of one such date share their shocks.
        units: (n,) volatility times sqrt(horizon): what errors are divided by, or a wild ticker would drown the others.
        champion: (n,) what the set said that serves.
        candidate: (n,) what the other one said.
        actual: (n,)
    """

    horizons: tuple[int, ...]
    horizon: NDArray[np.int64]
    matured_ns: NDArray[np.int64]
    units: FloatArray
    champion: FloatArray
    candidate: FloatArray
    actual: FloatArray

    @classmethod
    def of(cls, horizons: Sequence[int], said: Iterable[tuple[Outcome, float, float]]) -> "Pairs":
        """Make them of outcomes, each with the champion's and the candidate's forecast, in any order.

        One whose volatility was not known, or is next to nothing, has no unit and is left out.
        """
        rows = [each for each in said if each[0].volatility > VOLATILITY_FLOOR]
        rows.sort(key=lambda each: (each[0].matured_ns, each[0].ticker, each[0].horizon))
        outcomes = [outcome for outcome, _, _ in rows]
        return cls(
            tuple(horizons),
            np.array([outcome.horizon for outcome in outcomes], np.int64),
            np.array([outcome.matured_ns for outcome in outcomes], np.int64),
            np.array([outcome.volatility * math.sqrt(outcome.horizon) for outcome in outcomes], np.float64),
            np.array([champion for _, champion, _ in rows], np.float64),
            np.array([candidate for _, _, candidate in rows], np.float64),
            np.array([outcome.actual_log_return for outcome in outcomes], np.float64),
        )

    def __len__(self) -> int:
        """Count the outcomes."""
        return len(self.actual)

    def through(self, matured_ns: int) -> "Pairs":
        """Give those that matured by then."""
        rows = self.matured_ns <= matured_ns
        return Pairs(
            self.horizons,
            self.horizon[rows],
            self.matured_ns[rows],
            self.units[rows],
            self.champion[rows],
            self.candidate[rows],
            self.actual[rows],
        )

    def dates(self) -> NDArray[np.int64]:
        """Give the different dates at the shortest horizon, ascending: it is the one that is tested."""
        return np.unique(self.matured_ns[self.horizon == self.horizons[0]])

    def squared_errors(self, said: FloatArray) -> FloatArray:
        """Give the squared errors of forecasts of these outcomes, in units of volatility squared times the horizon."""
        errors: FloatArray = np.square((said - self.actual) / self.units)
        return errors


def said_by(outcome: Outcome, model_set: str) -> float | None:
    """Give what a set said of an outcome, served or in the shadow; None where it was not asked."""
    if outcome.model_set == model_set:
        return outcome.predicted_log_return
    if outcome.shadow_model_set == model_set and ENSEMBLE in outcome.shadow:
        return outcome.shadow[ENSEMBLE].log_return
    return None


def both_spoke(outcome: Outcome, champion: Manifest, challenger: Manifest) -> bool:
    """Tell whether an outcome counts between a set and the one beside it: of a time that neither was trained on."""
    return (
        outcome.scored
        and outcome.shadow_model_set is not None
        and outcome.as_of_ns > max(champion.train_end_ns, challenger.train_end_ns)
        and outcome.volatility > VOLATILITY_FLOOR
        and said_by(outcome, champion.model_set) is not None
        and said_by(outcome, challenger.model_set) is not None
    )
