"""Feature drift, as information: do the newest outcomes come from where the older ones came from?

An outcome carries no inputs, but three numbers that are made of them, and so does the index that banks use for their
scores: how volatile the ticker was (an input of the models as it stands), the return over that (the next bar's first
input), and what the models made of all their inputs together, over that again.

The population stability index of shares a (new) and e (reference) over ten bins that are equally full of the
reference: sum((a - e) * ln(a / e)). (Siddiqi 2006, Credit Risk Scorecards.) His bounds of 0.1 and 0.25 are
for independent rows. Sixty dates of a volatility over twenty bars are three, so that the index is above them most of
the time: it is shown beside its usual size (`docs/scores.md`) and decides nothing.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

BINS = 10
#: What is held against all that lies before it.
NEWEST_DATES = 60
LEAST_REFERENCE_DATES = 250
#: Tickers that are looked at, the first ones by name: the time for a board must not grow with the market.
MOST_TICKERS = 200
#: An empty bin counts as this, or the index would be infinite.
_SMALLEST_SHARE = 1e-4


def stability_index(reference: FloatArray, newest: FloatArray) -> float:
    """Give the population stability index of new values against a reference, one value or more each."""
    edges = np.quantile(reference, np.arange(1, BINS) / BINS)
    expected, actual = _shares(reference, edges), _shares(newest, edges)
    return float(((actual - expected) * np.log(actual / expected)).sum())


def _shares(values: FloatArray, edges: FloatArray) -> FloatArray:
    """Give each bin's share of the values; one that lies on an edge belongs to the bin above it."""
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=BINS)
    return np.maximum(counts / len(values), _SMALLEST_SHARE)


def inputs_of(actual: FloatArray, predicted: FloatArray, volatility: FloatArray) -> dict[str, FloatArray]:
    """Give what outcomes at one bar tell of the inputs, by name, (n,); the volatility is above 0."""
    return {"volatility": volatility, "return": actual / volatility, "forecast": predicted / volatility}


def inputs_drift(starts_ns: Sequence[NDArray[np.int64]], inputs: Sequence[Mapping[str, FloatArray]]) -> dict[str, str]:
    """Say which input has moved most, and how far; for `Scoreboard.drift`. Nothing where there are too few dates.

    Args:
        starts_ns: Of each ticker's outcomes, the starts of their bars, (n,).
        inputs: By name, (n,).
    """
    every_ns = np.concatenate([np.zeros(0, np.int64), *starts_ns])
    dates = np.unique(every_ns)
    if len(dates) < LEAST_REFERENCE_DATES + NEWEST_DATES:
        return {}
    newest = every_ns >= dates[-NEWEST_DATES]
    found = {}
    for name in inputs[0]:
        values = np.concatenate([each[name] for each in inputs])
        found[name] = stability_index(values[~newest], values[newest])
    worst = max(found, key=lambda name: (found[name], name))
    return {"inputs": worst, "inputs_psi": f"{found[worst]:.3f}"}
