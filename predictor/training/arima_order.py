"""Which order of ARMA the returns of all tickers together ask for."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from predictor.models.base import FloatArray

MAX_AR, MAX_MA = 5, 2
#: Lags of the long autoregression whose errors stand in for the shocks.
_LONG = 20


class Order(NamedTuple):
    """Numbers of autoregressive and moving-average terms."""

    ar: int
    ma: int


def best_order(runs: Sequence[FloatArray]) -> Order:
    """Choose the order with the smallest Bayesian information criterion, by regressions over all runs at once.

    A long autoregression gives the shocks; each order is then a regression on past values and past shocks, and its
    criterion n log(mean squared error) + (p + q) log n. All orders are judged on the same rows. No order at all (a
    constant) takes part. (Hannan and Rissanen 1982, Recursive estimation of mixed autoregressive-moving average order.)

    Args:
        runs: Values without a gap, oldest first, one run a ticker and stretch.
    """
    whole = [run for run in runs if len(run) > _LONG + MAX_MA + MAX_AR]
    if not whole:
        return Order(0, 0)
    shocks = _shocks(whole)
    outcomes = np.concatenate([run[_LONG + MAX_MA :] for run in whole])
    past = np.concatenate([_lagged(run, MAX_AR)[_LONG + MAX_MA - MAX_AR :] for run in whole])
    past_shocks = np.concatenate([_lagged(each, MAX_MA) for each in shocks])
    orders = [Order(ar, ma) for ar in range(MAX_AR + 1) for ma in range(MAX_MA + 1)]
    return min(orders, key=lambda order: _criterion(outcomes, past[:, : order.ar], past_shocks[:, : order.ma]))


def _shocks(runs: Sequence[FloatArray]) -> list[FloatArray]:
    """Give what a long autoregression over all runs leaves of each, from its value number `_LONG` on."""
    design = [_with_constant(_lagged(run, _LONG)) for run in runs]
    outcomes = [run[_LONG:] for run in runs]
    weights, *_ = np.linalg.lstsq(np.concatenate(design), np.concatenate(outcomes), rcond=None)
    return [outcome - rows @ weights for outcome, rows in zip(outcomes, design, strict=True)]


def _lagged(values: FloatArray, lags: int) -> FloatArray:
    """Give for each value from number `lags` on those before it, newest first."""
    columns = [values[lags - lag : len(values) - lag] for lag in range(1, lags + 1)]
    return np.stack(columns, axis=1)


def _with_constant(rows: FloatArray) -> FloatArray:
    return np.column_stack([np.ones(len(rows)), rows])


def _criterion(outcomes: FloatArray, past: FloatArray, past_shocks: FloatArray) -> float:
    design = _with_constant(np.hstack([past, past_shocks]))
    weights, *_ = np.linalg.lstsq(design, outcomes, rcond=None)
    error = float(np.mean(np.square(outcomes - design @ weights)))
    terms = past.shape[1] + past_shocks.shape[1]
    return len(outcomes) * math.log(max(error, 1e-300)) + int(terms) * math.log(len(outcomes))
