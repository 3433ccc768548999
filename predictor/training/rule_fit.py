"""The members that learn nothing, as the training takes them."""

from dataclasses import dataclass

import msgspec

from predictor.models.base import Batch, FloatArray
from predictor.models.rules import NaiveForecaster, RuleFile, StatisticalMember
from predictor.training.dataset import Dataset
from predictor.training.fitting import Fit, Progress
from predictor.training.importance import Input


@dataclass(frozen=True)
class FittedRule:
    """A rule, which is the same whatever the samples."""

    rule: type[NaiveForecaster] | type[StatisticalMember]
    horizons: tuple[int, ...]
    progress: Progress

    @property
    def name(self) -> str:
        """The name that serving loads it by."""
        return self.rule.name

    @property
    def file(self) -> str:
        """The name of its file in a set's folder."""
        return f"{self.name}.json"

    @property
    def inputs(self) -> dict[str, Input]:
        """All returns together, for the one that reads them."""
        return {"returns": Input("returns", slice(None))} if self.rule is StatisticalMember else {}

    def predict_targets(self, batch: Batch) -> FloatArray:
        """Give scaled targets, (n, horizons)."""
        return self.rule(self.export(), self.horizons, (1.0,) * len(self.horizons)).targets(batch)

    def refit(self, dataset: Dataset) -> "FittedRule":
        """Take it as it is."""
        return FittedRule(self.rule, dataset.horizons, self.progress)

    def export(self) -> bytes:
        """Give the content of its file."""
        return msgspec.json.encode(RuleFile(rule=self.name, rule_version=self.rule.rule_version))


def fit_rule(rule: type[NaiveForecaster] | type[StatisticalMember]) -> Fit:
    """Give the fit of a rule, which needs neither samples nor a seed."""

    def fit(dataset: Dataset, _seed: int, progress: Progress) -> FittedRule:
        return FittedRule(rule, dataset.horizons, progress)

    return fit
