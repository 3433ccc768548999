"""A backtest of the past: bars from a source, sets trained on the way or one that was saved."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ingestor.sources.bars import BarColumns
from ingestor.sources.history import load_history
from predictor.artifacts import ModelSet, UnfitModelSetError, load_model_set
from predictor.manifest import Manifest
from predictor.training.backtest.dates import dates_of
from predictor.training.backtest.options import BacktestOptions
from predictor.training.backtest.refits import Refits
from predictor.training.backtest.trainings import Trainings, require_unseen
from predictor.training.backtest.walk import WalkRules, walk
from predictor.training.fitting import Progress
from predictor.training.parameter_file import read_parameter_file
from predictor.training.settings import TrainingSettings
from schemas.errors import StopAndSayError
from schemas.events import Outcome
from schemas.times import interval_ns, to_rfc3339


@dataclass(frozen=True)
class Walked:
    """What a walk brought: what a report is made of."""

    outcomes: list[Outcome]
    bars: Mapping[str, BarColumns]
    manifests: list[Manifest]


def walk_the_past(settings: TrainingSettings, options: BacktestOptions) -> Walked:
    """Walk forward from `--from` to `--to`.

    Raises:
        StopAndSayError: The source, the time or the set does not fit.
    """
    from_ns = options.from_ns or 0
    bars = _bars(settings, options)
    count = _dates_from(bars, from_ns)
    refits = _refits(settings, options, bars, from_ns)
    rules = WalkRules(settings.interval, settings.horizons, settings.signal_share)
    progress = Progress(count, what="walking forward", unit="date")
    try:
        dates = dates_of(bars, settings.interval, from_ns)
        outcomes = list(walk(dates, refits.at, rules, lambda end_ns: progress.step(to_rfc3339(end_ns)[:10])))
    finally:
        progress.close()
    return Walked(outcomes, bars, [served.model_set.manifest for served in refits.served])


def _bars(settings: TrainingSettings, options: BacktestOptions) -> dict[str, BarColumns]:
    if settings.source == "simulated":
        raise StopAndSayError("--source simulated: it has no past; use replay or file:PATH")
    if settings.source == "replay" and settings.interval != "1d":
        raise StopAndSayError(f"--interval {settings.interval}: replay has daily bars; use 1d, or --source file:PATH")
    to_ns = options.to_ns
    end_ns = None if to_ns is None else to_ns - interval_ns(settings.interval) + 1
    return load_history(settings.source, settings.interval, settings.tickers, end_ns=end_ns)


def _dates_from(bars: Mapping[str, BarColumns], from_ns: int) -> int:
    """Count the dates to walk through.

    Raises:
        StopAndSayError: There is none.
    """
    starts_ns = np.unique(np.concatenate([columns.start_ns for columns in bars.values()] or [np.empty(0, np.int64)]))
    count = int((starts_ns >= from_ns).sum())
    if not count:
        there = (
            f"bars from {to_rfc3339(int(starts_ns[0]))} to {to_rfc3339(int(starts_ns[-1]))}"
            if len(starts_ns)
            else "none"
        )
        raise StopAndSayError(
            f"--from {to_rfc3339(from_ns)}: no bar starts between it and --to; the source has {there}"
        )
    return count


def _refits(
    settings: TrainingSettings, options: BacktestOptions, bars: Mapping[str, BarColumns], from_ns: int
) -> Refits:
    length_ns = interval_ns(settings.interval)
    if options.model_set is not None:
        saved = _saved(settings, options, from_ns)
        return Refits(lambda _: saved, None, length_ns)
    parameters = read_parameter_file(settings.training_parameters)
    require_unseen(parameters, from_ns)
    folder = options.report.parent / "models"
    return Refits(Trainings(settings, bars, folder, parameters, options.members).before, options.refit_bars, length_ns)


def _saved(settings: TrainingSettings, options: BacktestOptions, from_ns: int) -> ModelSet:
    folder = options.model_set
    if folder is None:
        raise ValueError("no folder")
    try:
        saved = load_model_set(folder, interval=settings.interval, horizons=settings.horizons)
    except UnfitModelSetError as error:
        raise StopAndSayError(f"--model-set {folder}: {error}") from error
    if not saved.whole:
        lost = "; ".join(f"{name}: {reason}" for name, reason in saved.refused.items())
        raise StopAndSayError(f"--model-set {folder}: members cannot be loaded ({lost})")
    if saved.manifest.train_end_ns > from_ns:
        raise StopAndSayError(
            f"--from {to_rfc3339(from_ns)}: the set was trained through {to_rfc3339(saved.manifest.train_end_ns)}, and "
            "what it has seen cannot be told from skill: choose a later --from, or a set that was trained earlier"
        )
    return saved
