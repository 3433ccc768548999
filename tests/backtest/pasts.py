"""A short past, and a walk through it with a small set that was saved."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from msgspec import structs

from ingestor.sources.bars import BarColumns
from predictor.artifacts import ModelSet, load_model_set, read_manifest
from predictor.saving import save_manifest
from predictor.training.backtest.contents import ReportOptions
from predictor.training.backtest.dates import dates_of
from predictor.training.backtest.walk import WalkRules, walk
from schemas.events import Outcome
from tests.predictor.saved_sets import save_linear_set
from tests.predictor_models.examples import DAY_NS, HORIZONS, random_walk

FROM_NS = 40 * DAY_NS
RULES = WalkRules("1d", HORIZONS)
OPTIONS = ReportOptions(
    source="file", live=False, interval="1d", seed=7, cost_bps=5.0, long_only=False, signal_share=0.5
)


def a_past(days: int = 280) -> dict[str, BarColumns]:
    """Give two tickers, of which one begins later."""
    return {"AAA": random_walk(1, days), "BBB": random_walk(2, days - 60, first_day=60)}


def saved_set(directory: Path) -> Path:
    """Save a set that was trained before the past begins; give its folder."""
    folder, _ = save_linear_set(directory)
    save_manifest(structs.replace(read_manifest(folder), train_end_ns=0), folder)
    return folder


def linear_set(directory: Path) -> ModelSet:
    return load_model_set(saved_set(directory), interval="1d", horizons=HORIZONS)


def walked(bars: Mapping[str, BarColumns], model_set: ModelSet, from_ns: int = FROM_NS) -> list[Outcome]:
    return list(walk(dates_of(bars, "1d", from_ns), lambda _: model_set, RULES))


def changed_from(columns: BarColumns, time_ns: int, seed: int) -> BarColumns:
    """Replace every bar that starts at or after a time by another one."""
    later = columns.start_ns >= time_ns
    factor = np.where(later, np.random.default_rng(seed).uniform(0.5, 2.0, len(columns)), 1.0)
    return replace(columns, **{name: getattr(columns, name) * factor for name in ("open", "high", "low", "close")})


def unlike(ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> list[str]:
    """Name the outcomes of both that differ, in whatever order they are."""
    others = {outcome.id: outcome for outcome in theirs}
    return [outcome.id for outcome in ours if others.get(outcome.id) != outcome]
