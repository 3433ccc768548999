"""A small world of made-up prices, and a small training."""

from collections.abc import Sequence
from functools import partial

import pytest

from predictor.manifest import TrainingOptions
from predictor.parameters import ForestParameters
from predictor.training.audit.boards import BoardsAlong, boards_along
from predictor.training.audit.intervals import Train
from predictor.training.audit.world import World
from predictor.training.dataset import Dataset
from schemas.events import Outcome, Scoreboard
from schemas.times import Interval
from tests.predictor_models.examples import HORIZONS, random_walk


@pytest.fixture(scope="session")
def world() -> World:
    """Give two tickers, one of them younger."""
    bars = {"AAA": random_walk(1, 560), "BBB": random_walk(2, 530, first_day=30)}
    return World(bars, "1d", HORIZONS, seed=7)


@pytest.fixture(scope="session")
def samples(world: World) -> Dataset:
    """Give the world's samples."""
    return world.samples


@pytest.fixture(scope="session")
def train_small() -> Train:
    """Give the product's training, of a small forest."""
    from predictor.training.forest_fit import fit_forest
    from predictor.training.pipeline import train
    from predictor.training.recipes import Recipe

    fit = partial(fit_forest, parameters=ForestParameters(n_estimators=4))
    options = TrainingOptions(source="made-up", before_ns=0, window_bars=None, seed=3)
    return partial(train, interval="1d", options=options, now_ns=0, chosen={"forest": Recipe(1.0, fit, fit)})


@pytest.fixture(scope="session")
def along() -> BoardsAlong:
    """Give the product's boards, made once of the same outcomes."""
    made: dict[tuple[str, ...], list[Scoreboard]] = {}

    def boards(outcomes: Sequence[Outcome], interval: Interval) -> list[Scoreboard]:
        key = tuple(outcome.id for outcome in outcomes)
        if key not in made:
            made[key] = boards_along(outcomes, interval)
        return made[key]

    return boards
