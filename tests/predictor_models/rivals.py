"""Two sets' forecasts of a made-up market, where it is known which is better."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predictor.training.pairs import Pairs
from tests.predictor_models.examples import DAY_NS

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Rivals:
    """What the forecasts are like, in units of volatility times sqrt(horizon).

    Attributes:
        size: Of both sets' forecasts; those of sets with slopes are small.
        shared: Of the variance of a forecast, what both have in common: sets of one recipe say much the same.
        persistence: Of the forecasts from date to date.
        turbulent: The volatility wanders, and nobody knows it.
        harm: Of noise that the candidate has on top.
        skill: Of what comes, that the candidate has on top.
    """

    tickers: int = 5
    size: float = 0.15
    shared: float = 0.0
    persistence: float = 0.0
    turbulent: bool = False
    harm: float = 0.0
    skill: float = 0.0

    def __str__(self) -> str:
        turbulent = ", turbulent" if self.turbulent else ""
        return f"{self.tickers} tickers, {self.shared:g} shared, persistence {self.persistence:g}{turbulent}"


def pairs_of(
    rivals: Rivals, seeds: int, *, dates: int = 126, horizons: tuple[int, ...] = (1,), seed: int = 20_100_104
) -> Iterator[Pairs]:
    """Give the pairs of so many markets."""
    rng, shape = np.random.default_rng(seed), (seeds, dates, rivals.tickers)
    sums = _sums(rng, rivals, seeds, dates, horizons)
    columns: list[list[Array]] = []
    for horizon, actual in zip(horizons, sums, strict=True):
        root = np.sqrt(horizon)
        common, own, other = (_forecast(rng, rivals.persistence, shape) for _ in range(3))
        common, rest = np.sqrt(rivals.shared) * common, np.sqrt(1.0 - rivals.shared)
        champion, candidate = (rivals.size * root * (common + rest * each) for each in (own, other))
        candidate += rivals.harm * root * rng.standard_normal(shape) + rivals.skill * actual
        columns.append([champion, candidate, actual])
    matured_ns = np.repeat(np.arange(1, dates + 1, dtype=np.int64) * DAY_NS, rivals.tickers)
    of_horizon = np.repeat(np.array(horizons, np.int64), len(matured_ns))
    for number in range(seeds):
        said = (np.concatenate([column[at][number].ravel() for column in columns]) for at in range(3))
        yield Pairs(horizons, of_horizon, np.tile(matured_ns, len(horizons)), np.sqrt(of_horizon), *said)


def _sums(rng: np.random.Generator, rivals: Rivals, seeds: int, dates: int, horizons: tuple[int, ...]) -> list[Array]:
    """Give for each horizon the returns over it up to each date, (seeds, dates, tickers)."""
    length = dates + max(horizons)
    returns = _with_common_part(rng, (seeds, length, rivals.tickers))
    if rivals.turbulent:
        steps = 0.05 * rng.standard_normal((seeds, length, 1)).cumsum(axis=1)
        returns *= np.exp(np.clip(steps, -1.2, 1.2))
    sums = returns.cumsum(axis=1)
    return [sums[:, -dates:] - sums[:, -dates - horizon : -horizon] for horizon in horizons]


def _with_common_part(rng: np.random.Generator, shape: tuple[int, int, int]) -> Array:
    mixed: Array = np.sqrt(0.5) * (rng.standard_normal((shape[0], shape[1], 1)) + rng.standard_normal(shape))
    return mixed


def _forecast(rng: np.random.Generator, persistence: float, shape: tuple[int, int, int]) -> Array:
    noise = _with_common_part(rng, shape)
    for date in range(1, shape[1] if persistence else 0):
        noise[:, date] = persistence * noise[:, date - 1] + np.sqrt(1.0 - persistence**2) * noise[:, date]
    return noise
