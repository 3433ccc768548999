"""Whatever is calibrated on the hold-out is found."""

from msgspec import structs

from predictor.training.audit.intervals import Train, check_intervals
from predictor.training.calibrate import interval_quantiles, spread_scales
from predictor.training.dataset import Dataset
from predictor.training.split import hold_out_split
from predictor.training.trained_set import TrainedSet


def scaled_errors_of_no_change(samples: Dataset) -> object:
    held_out = hold_out_split(samples).after
    return held_out.log_returns / held_out.units()


def test_the_products_calibration_knows_nothing_of_the_hold_out(samples: Dataset, train_small: Train) -> None:
    finding = check_intervals(samples, train_small, seed=1)
    assert finding.passed, finding.problem


def test_an_interval_calibrated_on_the_hold_out_is_caught(samples: Dataset, train_small: Train) -> None:
    def train(dataset: Dataset) -> TrainedSet:
        trained = train_small(dataset)
        quantiles = interval_quantiles(dataset.horizons, scaled_errors_of_no_change(dataset))  # type: ignore[arg-type]
        return TrainedSet(structs.replace(trained.manifest, interval_quantiles=quantiles), trained.files)

    problem = check_intervals(samples, train, seed=1).problem
    assert problem == "interval_quantiles hangs on what happens in the hold-out"


def test_a_spread_calibrated_on_the_hold_out_is_caught(samples: Dataset, train_small: Train) -> None:
    def train(dataset: Dataset) -> TrainedSet:
        trained = train_small(dataset)
        scales = spread_scales(scaled_errors_of_no_change(dataset))  # type: ignore[arg-type]
        members = [structs.replace(member, spread_scale=scales) for member in trained.manifest.members]
        return TrainedSet(structs.replace(trained.manifest, members=members), trained.files)

    problem = check_intervals(samples, train, seed=1).problem
    assert problem == "spread_scale of forest hangs on what happens in the hold-out"


def test_a_check_that_shows_nothing_does_not_pass(samples: Dataset, train_small: Train) -> None:
    once = train_small(samples)
    problem = check_intervals(samples, lambda _: once, seed=1).problem
    assert problem is not None
    assert problem.endswith("nothing was shown")
