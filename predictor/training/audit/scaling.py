"""Does a fit scale by its own samples alone?"""

from collections.abc import Iterable

import numpy as np

from predictor.models.base import FloatArray
from predictor.training.audit.findings import Finding, first_difference, first_problem
from predictor.training.audit.no_progress import NoProgress
from predictor.training.audit.spy import ScalerOf, TrainMember, own_training, seen_by_fits
from predictor.training.audit.world import World
from predictor.training.dataset import Dataset
from predictor.training.fitting import Fit
from predictor.training.member_fit import TrainingData, training_data
from predictor.training.sequence_scaler import sequence_scaler
from schemas.times import to_rfc3339

NAME = "scaling"


def own_scaler(samples: Dataset, _data: TrainingData) -> tuple[FloatArray, FloatArray]:
    """Scale as the LSTM does."""
    return sequence_scaler(samples.batch.sequence)


def check_scaling(
    world: World, train: TrainMember = own_training, scaler_of: ScalerOf = own_scaler, fit: Fit | None = None
) -> Finding:
    """Exchange all that comes after each fit, and compare what it is given and what it scales by.

    Args:
        fit: Of an LSTM, whose scaler is then read back from the network; None leaves that out.
    """
    data = training_data(world.samples)
    seen = seen_by_fits(data, world.seed, train, scaler_of)
    starts_ns = [int(fold.after.as_of_ns.min()) for fold in (*data.folds, data.hold_out)]

    def problems() -> Iterable[str | None]:
        for number, start_ns in enumerate(starts_ns):
            other = training_data(world.samples_of(world.with_another_future(start_ns)))
            exchanged = seen_by_fits(other, world.seed, train, scaler_of)
            changed = first_difference(seen[number], exchanged[number])
            if changed is not None:
                yield f"fit {number + 1} of {len(seen)}: its {changed} hangs on bars from {to_rfc3339(start_ns)} on"
        if fit is not None:
            yield network_problem(data, world.seed, fit)

    also = "" if fit is None else "; the network's own, read back"
    compared = f"{len(seen)} fits: samples, labels and scaler, before and after all later bars were exchanged{also}"
    return Finding(NAME, compared, first_problem(problems()))


def network_problem(data: TrainingData, seed: int, fit: Fit) -> str | None:
    """Compare the scaler of a fitted network with that of its samples, in the network's own precision."""
    samples = data.folds[0].before
    model = fit(samples, seed, NoProgress())
    found = model.scaler()  # type: ignore[attr-defined]  # of the LSTM alone
    wanted = sequence_scaler(samples.batch.sequence)
    same = all(np.array_equal(one, np.asarray(other, np.float32)) for one, other in zip(found, wanted, strict=True))
    return None if same else "the network scales by something else than its samples"
