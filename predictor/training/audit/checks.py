"""All checks, in order, and how they are run."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from predictor.training.audit import boards, features, folds, intervals, scaling, skill, training, warm_up
from predictor.training.audit.findings import Finding
from predictor.training.audit.plan import Plan

Check = Callable[[], Finding]
#: Tells people one line.
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Result:
    """What a check found, and how long it took."""

    finding: Finding
    seconds: float


def checks_of(plan: Plan) -> dict[str, Check]:
    """Give the checks of the product itself, cheap ones first; a test gives them leaks in its place."""
    world = plan.world
    return {
        features.NAME: lambda: features.check_features(world, plan.cuts),
        warm_up.NAME: lambda: warm_up.check_warm_up(world),
        boards.NAME: lambda: boards.check_boards(world),
        folds.NAME: lambda: folds.check_folds(world),
        scaling.NAME: lambda: scaling.check_scaling(world, fit=plan.lstm),
        intervals.NAME: lambda: intervals.check_intervals(world.samples, plan.train, world.seed),
        training.NAME: lambda: training.check_training(world, plan.history, plan.train_set, plan.cuts),
        skill.NAME: lambda: skill.check_skill(world.samples, plan.fits, world.seed),
    }


def run_checks(checks: Mapping[str, Check], say: Say, clock: Callable[[], float]) -> Iterator[Result]:
    """Run them one after the other, on one thread.

    Args:
        say: Told what begins.
        clock: Seconds, for how long it took and nothing else.
    """
    with one_thread():
        for number, (name, check) in enumerate(checks.items(), 1):
            say(f"{number} of {len(checks)}: {name} ...")
            begun = clock()
            yield Result(check(), clock() - begun)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let sums be added up in one order: the libraries' threads would choose another each time.

    The forest's trees are grown on all cores all the same: each has a seed of its own, and its sums one thread.
    """
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - only who trains has it

    with threadpool_limits(limits=1):
        yield
