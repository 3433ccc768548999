"""Does anything that is calibrated come from the hold-out?"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np

from predictor.manifest import Manifest
from predictor.training.audit.findings import Finding, first_difference
from predictor.training.dataset import Dataset
from predictor.training.split import hold_out_split
from predictor.training.trained_set import TrainedSet

NAME = "intervals"
Train = Callable[[Dataset], TrainedSet]

#: What happens instead is so many times what would be usual: a quantile that knows it is another.
_WILDNESS = 3.0


def check_intervals(samples: Dataset, train: Train, seed: int) -> Finding:
    """Let something else happen in the hold-out, and compare all that is applied to predictions.

    The hold-out's scores must change: they are what the hold-out is for, and show that the exchange was seen.
    """
    start_ns = int(hold_out_split(samples).after.as_of_ns.min())
    held_out = samples.as_of_ns >= start_ns
    known, other = train(samples).manifest, train(_with_other_outcomes(samples, held_out, seed)).manifest
    changed = first_difference(calibrated(known), calibrated(other))
    problem = None
    if changed is not None:
        problem = f"{changed} hangs on what happens in the hold-out"
    elif known.hold_out == other.hold_out:
        problem = "other outcomes in the hold-out change not even its scores: nothing was shown"
    count = len(calibrated(known))
    compared = f"{count} groups of calibrated numbers, before and after {int(held_out.sum())} held-out outcomes changed"
    return Finding(NAME, compared, problem)


def _with_other_outcomes(samples: Dataset, rows: Any, seed: int) -> Dataset:
    random = np.random.default_rng(seed)
    outcomes = samples.log_returns.copy()
    outcomes[rows] = (
        _WILDNESS * random.standard_normal((int(rows.sum()), len(samples.horizons))) * samples.units()[rows]
    )
    return replace(samples, log_returns=outcomes)


def calibrated(manifest: Manifest) -> dict[str, Any]:
    """Give all that a prediction is made of beside the models: it must come from out-of-fold predictions."""
    numbers: dict[str, Any] = {
        "interval_quantiles": msgspec.to_builtins(manifest.interval_quantiles),
        "slopes": list(manifest.slopes),
    }
    for member in manifest.members:
        numbers[f"spread_scale of {member.name}"] = list(member.spread_scale)
        numbers[f"calibration of {member.name}"] = msgspec.to_builtins(member.calibration)
    return numbers
