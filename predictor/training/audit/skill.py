"""Has a member skill where there is none to be had: on labels that were permuted?"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from predictor.models.base import FloatArray
from predictor.training.audit.findings import Finding, first_problem
from predictor.training.audit.no_progress import NoProgress
from predictor.training.dataset import Dataset
from predictor.training.fitting import Fit
from predictor.training.split import hold_out_split

NAME = "skill"
PERMUTATIONS = 20
#: Improvements on permuted labels that chance brings less often than that are a leak.
_LEVEL = 0.001
#: A block of dates has so many times the longest horizon: within it, outcomes follow each other as they did.
_BLOCK_HORIZONS = 2

#: Gives the samples that were held out, and scaled forecasts of them.
Forecasts = Callable[[Fit, Dataset, int], tuple[Dataset, FloatArray]]


def own_forecasts(fit: Fit, samples: Dataset, seed: int) -> tuple[Dataset, FloatArray]:
    """Fit before the hold-out and predict it, as the training does."""
    split = hold_out_split(samples)
    return split.after, fit(split.before, seed, NoProgress()).predict_targets(split.after.batch)


def check_skill(
    samples: Dataset,
    fits: Mapping[str, Fit],
    seed: int,
    permutations: int = PERMUTATIONS,
    forecasts: Forecasts = own_forecasts,
) -> Finding:
    """Fit each member on permuted labels, again and again: it must not be better than a constant on what is held out.

    Without a leak an improvement is as often below 0 as above, or more often (what was learnt is noise, and noise
    costs): a sign test over the permutations. Beside it stands the share of permutations that did at least as well as
    the member does on the true labels, which is information and no check.
    """
    random = np.random.default_rng(seed)
    worlds = [permuted_labels(samples, random) for _ in range(permutations)]
    said: list[str] = []

    def problems() -> Iterable[str | None]:
        for name, fit in fits.items():
            chance = np.array([improvements(*forecasts(fit, each, seed)) for each in worlds])
            true = improvements(*forecasts(fit, samples, seed))
            p_values = (1 + (chance >= true).sum(axis=0)) / (permutations + 1)
            said.append(f"{name} {'/'.join(f'{p:.2f}' for p in p_values)}")
            yield _leak(name, samples.horizons, chance)

    problem = first_problem(problems())
    compared = (
        f"improvements over a constant on the hold-out, of {', '.join(fits)}, on {permutations} permutations of the "
        f"labels; p of the true ones: {', '.join(said)}"
    )
    return Finding(NAME, compared, problem)


def _leak(name: str, horizons: tuple[int, ...], improvements: FloatArray) -> str | None:
    """Say at which horizon too many permutations were improved on."""
    count = len(improvements)
    for at, horizon in enumerate(horizons):
        better = int((improvements[:, at] > 0).sum())
        if sign_test(better, count) < _LEVEL:
            mean = float(improvements[:, at].mean())
            return f"{name} beats a constant on {better} of {count} permutations at {horizon} bars, by {mean:.1%}"
    return None


def sign_test(better: int, count: int) -> float:
    """Give the probability of so many or more of `count` where each is as likely as not."""
    return sum(math.comb(count, each) for each in range(better, count + 1)) / 2.0**count


def improvements(held_out: Dataset, targets: FloatArray) -> FloatArray:
    """Give by which share a forecast lowers the mean squared error, per horizon.

    Both are taken about their means on these samples, so that a drift, which stays in permuted labels, is no skill.
    """
    outcomes = held_out.targets().astype(np.float64)
    outcomes -= outcomes.mean(axis=0)
    centred = targets - targets.mean(axis=0)
    errors: FloatArray = np.square(outcomes - centred).mean(axis=0)
    shares: FloatArray = 1.0 - errors / np.square(outcomes).mean(axis=0)
    return shares


def permuted_labels(samples: Dataset, random: np.random.Generator) -> Dataset:
    """Give each date another date's outcomes, in blocks, and within a block each ticker another's.

    A block keeps what outcomes have to do with their neighbours and with each other; nothing is left that links them
    to features, nor to a ticker's drift. In units of their volatility, so that their size stays right. A sample whose
    label would come from a ticker that did not trade is left out.
    """
    tickers, who = np.unique(samples.tickers, return_inverse=True)
    dates, when = np.unique(samples.as_of_ns, return_inverse=True)
    rows = np.full((len(tickers), len(dates)), -1)
    rows[who, when] = np.arange(len(samples))
    source_dates, swaps = _drawn(len(tickers), len(dates), _BLOCK_HORIZONS * max(samples.horizons), random)
    sources = rows[swaps[when, who], source_dates[when]]
    kept = sources >= 0
    left = samples.rows(kept)
    scaled = (samples.log_returns / samples.units())[sources[kept]]
    return replace(left, log_returns=scaled * left.units())


def _drawn(
    tickers: int, dates: int, block: int, random: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Give for each date the one that its labels come from, (dates,), and for each ticker whose, (dates, tickers)."""
    blocks = np.split(np.arange(dates), range(block, dates, block))
    order = random.permutation(len(blocks))
    source_dates = np.concatenate([blocks[each] for each in order])
    swaps = np.concatenate([np.tile(random.permutation(tickers), (len(blocks[each]), 1)) for each in order])
    return source_dates, swaps
