"""Markets with overlapping outcomes, and two forecasts of them whose skill is known."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """What a market is like.

    Attributes:
        persistence: Of the forecasts from date to date; 0: each is new.
        turbulent: The volatility wanders.
        drift: Of a bar, in units of its volatility.
        skill: Correlation of the first forecast with what comes; the second has none.
    """

    tickers: int = 1
    persistence: float = 0.0
    turbulent: bool = False
    drift: float = 0.0
    skill: float = 0.0

    def __str__(self) -> str:
        turbulent = ", turbulent" if self.turbulent else ""
        return f"{self.tickers} tickers, persistence {self.persistence:g}{turbulent}"


def overlapping_returns(rng: np.random.Generator, world: World, horizon: int, dates: int, seeds: int) -> Array:
    """Give sums of `horizon` neighbouring returns that share a shock, (seeds, tickers, dates)."""
    length = dates + horizon
    returns = _with_common_part(rng, (seeds, world.tickers, length)) + world.drift
    if world.turbulent:
        steps = 0.05 * rng.standard_normal((seeds, 1, length)).cumsum(axis=2)
        returns *= np.exp(np.clip(steps, -1.2, 1.2))
    sums = returns.cumsum(axis=2)
    overlapping: Array = sums[:, :, horizon:] - sums[:, :, :-horizon]
    return overlapping


def _with_common_part(rng: np.random.Generator, shape: tuple[int, int, int]) -> Array:
    seeds, _, length = shape
    mixed: Array = np.sqrt(0.5) * (rng.standard_normal((seeds, 1, length)) + rng.standard_normal(shape))
    return mixed


def _forecast(rng: np.random.Generator, world: World, shape: tuple[int, int, int]) -> Array:
    """Give numbers of variance 1 that know nothing, each like the one before where they persist."""
    noise = _with_common_part(rng, shape)
    fresh = np.sqrt(1.0 - world.persistence**2)
    if world.persistence:
        for date in range(1, shape[2]):
            noise[:, :, date] = world.persistence * noise[:, :, date - 1] + fresh * noise[:, :, date]
    return noise


def losses_and_hits(world: World, horizon: int, dates: int, seeds: int) -> Iterator[tuple[Array, Array, Array, Array]]:
    """Give for every seed the mean squared errors of two forecasts and the hits of the first and of "up", by date."""
    rng = np.random.default_rng(20_100_104 + horizon)
    actual = overlapping_returns(rng, world, horizon, dates, seeds)
    size = 0.15 * np.sqrt(horizon)
    knowing = world.skill * actual / np.sqrt(horizon) + np.sqrt(1 - world.skill**2) * _forecast(
        rng, world, actual.shape
    )
    first, second = size * knowing, size * _forecast(rng, world, actual.shape)
    losses = ((actual - first) ** 2).mean(axis=1), ((actual - second) ** 2).mean(axis=1)
    hits = (np.sign(first) == np.sign(actual)).mean(axis=1), (actual > 0).mean(axis=1)
    yield from zip(*losses, *hits, strict=True)
