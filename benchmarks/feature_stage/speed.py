"""Ticks per second and worker through a contestant, over a log that waits."""

from benchmarks.feature_stage.contestants import Contestant
from benchmarks.feature_stage.logs import InputLog, fresh_run
from benchmarks.stopwatch import Pace, time_between
from benchmarks.watched import watch
from schemas.metrics import TICKS_ABSORBED

#: Of the ticks after the warm-up: where measuring begins and ends.
_BEGIN_SHARE, _END_SHARE = 0.01, 0.97
#: The warm-up's events are a checkpoint's interval behind.
_SETTLE_SECONDS = 1.2


def measure_speed(contestant: Contestant, log: InputLog, seconds: float, *, workers: int = 1) -> Pace:
    """Time a contestant from the end of the warm-up on, for so long or until the log ends.

    Args:
        contestant: It.
        log: In the shape that it reads.
        seconds: At most.
        workers: Processes of one group; the figures are their sums.
    """
    log.read_once()
    steady = log.total_ticks - log.warm_up_ticks
    with fresh_run(log.settings) as run, watch() as watching:
        processes = [watching.start(contestant.command, run.variables(worker)) for worker in range(workers)]
        return time_between(
            processes,
            TICKS_ABSORBED.name,
            log.warm_up_ticks + steady * _BEGIN_SHARE,
            log.warm_up_ticks + steady * _END_SHARE,
            seconds=seconds,
            settle_seconds=_SETTLE_SECONDS,
            others=run.features_total,
        )
