"""What can be tuned of the models; the defaults need no search."""

import math
from typing import Annotated

from msgspec import Meta, Struct, field, structs

Share = Annotated[float, Meta(gt=0, le=1)]
Count = Annotated[int, Meta(ge=1, le=2_000)]
Strength = Annotated[float, Meta(ge=0)]


class ForestParameters(Struct, frozen=True, kw_only=True):
    """Leaves of 50 rows and a third of the inputs: default trees are worse held out, and a file of 54 MB."""

    n_estimators: Count = 100
    min_samples_leaf: Count = 50
    max_features: Share = 1 / 3


class XgboostParameters(Struct, frozen=True, kw_only=True):
    """There is little to learn: a tree is small, sees half the rows and a third of the inputs, and counts for little.

    Attributes:
        rounds: Trees a horizon; null: as many as are best on the last dates of what is trained on.
    """

    max_depth: Annotated[int, Meta(ge=1, le=12)] = 3
    learning_rate: Share = 0.03
    min_child_weight: Strength = 100.0
    reg_lambda: Strength = 100.0
    subsample: Share = 0.5
    colsample_bytree: Share = 1 / 3
    rounds: Count | None = None


class PriorWeights(Struct, frozen=True, kw_only=True):
    """The members' shares of the ensemble before any score has come in, in any unit.

    0: shown and scored, and never weighed. A member joins the ensemble by a change of these that is promoted.
    """

    forest: Strength = 0.4
    lstm: Strength = 0.6
    xgboost: Strength = 0.0
    arima: Strength = 0.0
    naive: Strength = 0.0
    statistical: Strength = 0.0

    def __post_init__(self) -> None:
        """Refuse an ensemble of nobody."""
        if not sum(structs.asdict(self).values()) > 0:
            raise ValueError("weights: give at least one member more than 0")

    def shares(self) -> dict[str, float]:
        """Give them by member, adding up to 1."""
        weights = structs.asdict(self)
        total = math.fsum(weights.values())
        return {name: weight / total for name, weight in weights.items()}


class Parameters(Struct, frozen=True, kw_only=True):
    """Those of all models that have any, and how much each counts."""

    forest: ForestParameters = field(default_factory=ForestParameters)
    xgboost: XgboostParameters = field(default_factory=XgboostParameters)
    weights: PriorWeights = field(default_factory=PriorWeights)
