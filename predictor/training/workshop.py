"""What a try of another set works with: bars, a training, a clock."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ingestor.sources.bars import BarColumns
from predictor.manifest import TrainingOptions
from predictor.training.dataset import Dataset
from predictor.training.live_bars import bars_until_now
from predictor.training.quiet import quiet_import
from predictor.training.settings import TrainingSettings
from predictor.training.tell import Tell
from predictor.training.trained_set import TrainedSet
from schemas.times import Interval


class Train(Protocol):
    """What `predictor.training.pipeline.train` is."""

    def __call__(
        self,
        dataset: Dataset,
        interval: Interval,
        options: TrainingOptions,
        now_ns: int,
        *,
        weighed_only: bool = False,
        tell: Tell | None = None,
    ) -> TrainedSet:
        """Train a set."""
        ...


@dataclass(frozen=True)
class Workshop:
    """The defaults are the real things.

    Attributes:
        bars: Gives all bars up to now.
        train: None: `predictor.training.pipeline.train`, which imports TensorFlow when it is first needed.
        now_ns: The clock of `created_at_ns`.
    """

    bars: Callable[[TrainingSettings], Mapping[str, BarColumns]] = bars_until_now
    train: Train | None = None
    now_ns: Callable[[], int] = time.time_ns

    def training(self) -> Train:
        """Give the training."""
        if self.train is not None:
            return self.train
        with quiet_import():
            from predictor.training.pipeline import train  # noqa: PLC0415 - only who trains pays for TensorFlow
        return train


REAL = Workshop()
