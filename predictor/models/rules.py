"""The members that learn nothing: no change, and the mean of the last returns."""

from collections.abc import Sequence
from typing import ClassVar

import msgspec
import numpy as np
from msgspec import Struct

from predictor.models.base import Batch, FloatArray, scales
from predictor.models.scaled import ScaledForecaster
from predictor.models.statistical import StatisticalForecaster


class RuleFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file holds: which definition its calibration and scores are of."""

    rule: str
    rule_version: str


class RuleForecaster(ScaledForecaster):
    """Predict by a rule that is written here, with the spread that its errors had."""

    rule_version: ClassVar[str]

    def __init__(
        self, content: bytes, horizons: Sequence[int], spread_scale: Sequence[float], version: str = "unsaved"
    ) -> None:
        super().__init__(horizons, spread_scale, version)
        its = msgspec.json.decode(content, type=RuleFile)
        if (its.rule, its.rule_version) != (self.name, self.rule_version):
            raise ValueError(
                f"it is version {its.rule_version} of {its.rule}, not version {self.rule_version} of {self.name}"
            )


class NaiveForecaster(RuleForecaster):
    """Predict no change: what every other member is held against."""

    name: ClassVar[str] = "naive"
    rule_version: ClassVar[str] = "1"

    def targets(self, batch: Batch) -> FloatArray:
        """Give 0, (n, horizons)."""
        return np.zeros((len(batch), len(self._horizons)))


class StatisticalMember(RuleForecaster):
    """Predict what the statistical forecaster does, with the spread that its errors had in place of its own."""

    name: ClassVar[str] = StatisticalForecaster.name
    rule_version: ClassVar[str] = StatisticalForecaster.version

    def targets(self, batch: Batch) -> FloatArray:
        """Give scaled targets, (n, horizons); NaN where the volatility is unknown or 0."""
        log_returns = StatisticalForecaster(self._horizons).predict(batch).log_returns
        unit = scales(batch.volatility, self._horizons)
        return log_returns / np.where(unit > 0, unit, np.nan)
