"""A set that knows bars after its end, or is another each time, is found."""

from collections.abc import Callable
from itertools import count

from msgspec import structs

from predictor.training.audit.intervals import Train
from predictor.training.audit.training import TrainSet, check_training, difference_of_sets
from predictor.training.audit.world import Bars, World
from predictor.training.trained_set import TrainedSet
from tests.predictor_models.examples import DAY_NS

CUTS = 2


def trained_on(world: World, train: Train) -> TrainSet:
    return lambda bars: train(world.samples_of(bars))


def own_history(world: World) -> Callable[[int], Bars]:
    """Cut as the sources do."""
    return lambda end_ns: {ticker: columns.between(None, end_ns - DAY_NS + 1) for ticker, columns in world.bars.items()}


def test_the_products_set_is_the_same_from_a_source_that_goes_on(world: World, train_small: Train) -> None:
    finding = check_training(world, own_history(world), trained_on(world, train_small), CUTS)
    assert finding.passed, finding.problem


def test_training_on_later_bars_is_caught(world: World, train_small: Train) -> None:
    finding = check_training(
        world, lambda end_ns: world.until(end_ns + 30 * DAY_NS), trained_on(world, train_small), CUTS
    )
    assert finding.problem is not None
    assert finding.problem.startswith("AAA: the bars through ")


def test_a_training_that_looks_further_than_its_bars_is_caught(world: World, train_small: Train) -> None:
    """It is given the right bars, and trains on others where the source goes on."""
    goes_on = iter([True, False])

    def train_set(bars: Bars) -> TrainedSet:
        return train_small(world.samples_of(world.bars if next(goes_on) else bars))

    problem = check_training(world, own_history(world), train_set, CUTS).problem
    assert problem is not None
    assert problem.startswith("trained through ")


def test_a_training_that_is_another_each_time_is_caught(world: World, train_small: Train) -> None:
    seeds = count()

    def train_set(bars: Bars) -> TrainedSet:
        trained = train_small(world.samples_of(bars))
        return TrainedSet(trained.manifest, {"forest.onnx": b"%d" % next(seeds)})

    assert check_training(world, own_history(world), train_set, CUTS).problem == "forest.onnx is another file"


def test_numbers_count_and_the_clock_does_not(world: World, train_small: Train) -> None:
    trained = train_small(world.samples)
    later = TrainedSet(structs.replace(trained.manifest, created_at_ns=5), trained.files)
    assert difference_of_sets(trained, later) is None
    other = TrainedSet(structs.replace(trained.manifest, slopes=[0.5, 0.5, 0.5]), trained.files)
    assert difference_of_sets(trained, other) == "slopes of the manifest is another"
