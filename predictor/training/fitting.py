"""What every fitted model can do, and the check that its export is the same model."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from tqdm import tqdm

from predictor.models import load_forecaster
from predictor.models.base import Batch, FloatArray
from predictor.training.dataset import Dataset
from predictor.training.importance import Input
from predictor.training.tell import Tell
from schemas.errors import StopAndSayError

#: Largest difference between an exported model and its original, in scaled targets.
EXPORT_TOLERANCE = 1e-5
_CHECKED_ROWS = 2_000


class FittedModel(Protocol):
    """A model that has learnt scaled targets."""

    @property
    def name(self) -> str:
        """The name that serving loads it by."""
        ...

    @property
    def file(self) -> str:
        """The name of its file in a set's folder."""
        ...

    @property
    def inputs(self) -> dict[str, Input]:
        """What it reads, by name; empty where it reads nothing."""
        ...

    def predict_targets(self, batch: Batch) -> FloatArray:
        """Give scaled targets, (n, horizons)."""
        ...

    def refit(self, dataset: Dataset) -> "FittedModel":
        """Fit again on more samples, with whatever the first fit has found out (like the number of epochs)."""
        ...

    def export(self) -> bytes:
        """Give the content of its file."""
        ...


#: Fits samples from a seed.
Fit = Callable[[Dataset, int, "Progress"], FittedModel]


class ExportDiffersError(StopAndSayError):
    """The exported model predicts something else than its original: it must not serve."""


class Progress:
    """A progress bar on a terminal, silence elsewhere; and whoever wants to be told is told."""

    def __init__(self, steps: int, tell: Tell | None = None, what: str = "training", unit: str = "step") -> None:
        self._bar = tqdm(total=steps, desc=what, unit=unit, disable=None, leave=False)
        self._steps, self._done, self._tell = steps, 0, tell

    def step(self, what: str) -> None:
        """Count one step done."""
        self._bar.set_postfix_str(what, refresh=False)
        self._bar.update()
        self._done += 1
        if self._tell is not None:
            self._tell(min(1.0, self._done / max(1, self._steps)), what)

    def expect_fewer(self, steps: int) -> None:
        """Take back steps that turned out not to be needed."""
        self._bar.total = (self._bar.total or 0) - steps
        self._bar.refresh()
        self._steps -= steps

    def close(self) -> None:
        """Remove the bar."""
        self._bar.close()


def checked_export(model: FittedModel, dataset: Dataset) -> bytes:
    """Export a model and compare it, as it will serve, with the original.

    Raises:
        ExportDiffersError: They differ by more than 1e-5 on some sample.
    """
    content = model.export()
    sample = dataset.rows(slice(None, None, max(1, len(dataset) // _CHECKED_ROWS)))
    served = load_forecaster(model.name, content, dataset.horizons, (1.0,) * len(dataset.horizons), "unsaved")
    targets = served.predict(sample.batch).log_returns / sample.units()
    difference = float(np.max(np.abs(targets - model.predict_targets(sample.batch))))
    if not difference <= EXPORT_TOLERANCE:  # also where it is not a number
        raise ExportDiffersError(f"the exported {model.name} differs from the fitted one by {difference:g}: not saved")
    return content
