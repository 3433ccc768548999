"""Trains a set on what lies before a time, saves it, and loads it as the predictor does."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ingestor.sources.bars import BarColumns
from predictor.artifacts import ModelSet, load_model_set
from predictor.manifest import TrainingOptions
from predictor.saving import save_model_set
from predictor.training.dataset import Dataset, dataset_from_bars
from predictor.training.parameter_file import ParameterFile
from predictor.training.quiet import training_packages
from predictor.training.settings import TrainingSettings
from predictor.training.split import TooFewSamplesError, hold_out_split
from schemas.errors import StopAndSayError
from schemas.times import interval_ns, to_rfc3339

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trainings:
    """What is the same in all trainings of a backtest.

    Attributes:
        bars: By ticker, of all times: each training is given those that end before it.
        folder: For the sets.
        members: Their names; empty: all.
    """

    settings: TrainingSettings
    bars: Mapping[str, BarColumns]
    folder: Path
    parameters: ParameterFile
    members: tuple[str, ...] = field(default=())

    def before(self, before_ns: int) -> ModelSet:
        """Train on the bars that end by a time.

        Raises:
            StopAndSayError: They are not enough.
        """
        settings = self.settings
        dataset = self._dataset(before_ns)
        options = TrainingOptions(
            source=settings.source,
            before_ns=before_ns,
            window_bars=settings.training_window_bars,
            seed=settings.training_seed,
            parameters=self.parameters.parameters,
        )
        with training_packages():
            # Only who trains pays for TensorFlow.
            from predictor.training.backtest.members import only  # noqa: PLC0415
            from predictor.training.pipeline import train  # noqa: PLC0415
            from predictor.training.recipes import recipes  # noqa: PLC0415
        chosen = only(recipes(options.parameters), self.members)
        _log.info("training on what ends by %s: %d samples", to_rfc3339(before_ns), len(dataset))
        trained = train(dataset, settings.interval, options, before_ns, chosen=chosen)
        folder = save_model_set(trained.manifest, trained.files, self.folder)
        return load_model_set(folder, interval=settings.interval, horizons=settings.horizons)

    def _dataset(self, before_ns: int) -> Dataset:
        """Make the samples, and see that they are enough before TensorFlow is imported."""
        settings = self.settings
        end_ns = before_ns - interval_ns(settings.interval) + 1
        known = {ticker: columns.between(None, end_ns) for ticker, columns in self.bars.items()}
        dataset = dataset_from_bars(known, settings.interval, settings.horizons, settings.training_window_bars)
        with training_packages():
            from predictor.training.folds import fold_rows  # noqa: PLC0415 - scikit-learn
        try:
            fold_rows(hold_out_split(dataset).before)
        except TooFewSamplesError as error:
            raise StopAndSayError(
                f"--from: before {to_rfc3339(before_ns)} there is too little to train on: {error}"
            ) from error
        return dataset


def require_unseen(parameters: ParameterFile, from_ns: int) -> None:
    """Check that the search of the parameters has not seen what they are to be held against.

    Raises:
        StopAndSayError: It has.
    """
    if parameters.through_ns > from_ns:
        raise StopAndSayError(
            f"--parameters: the search has seen bars through {to_rfc3339(parameters.through_ns)}, after --from "
            f"{to_rfc3339(from_ns)}: search on earlier bars, or choose a later --from"
        )
