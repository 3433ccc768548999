"""How fast processes count something that they show in their metrics, and what CPU and memory they take for it."""

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.watched import EndedError, Watched, watch

_LOOK_EVERY_SECONDS = 0.2
_GIVE_UP_SECONDS = 300.0
_LEAST_LOOKS = 3
_MEBIBYTE = 1_048_576


@dataclass(frozen=True)
class Pace:
    """One run; of several processes the sums.

    Attributes:
        others_per_second: How fast another count rose meanwhile.
    """

    per_second: float
    cpu_microseconds_each: float
    memory_mebibytes: float = 0.0
    others_per_second: float = 0.0


def median(paces: Sequence[Pace]) -> Pace:
    """Give the run in the middle, figure by figure."""
    return Pace(
        statistics.median(pace.per_second for pace in paces),
        statistics.median(pace.cpu_microseconds_each for pace in paces),
        statistics.median(pace.memory_mebibytes for pace in paces),
        statistics.median(pace.others_per_second for pace in paces),
    )


@dataclass(frozen=True)
class _Look:
    """Attributes have the clock of the moment at which they were true: asking the broker may take seconds."""

    count: float
    at_seconds: float
    cpu_seconds: float
    memory_bytes: int
    others: int
    others_at_seconds: float


def time_between(
    processes: Sequence[Watched],
    metric: str,
    first: float,
    last: float,
    *,
    seconds: float = _GIVE_UP_SECONDS,
    settle_seconds: float = 0.0,
    others: Callable[[], int] = int,
) -> Pace:
    """Time processes from the first look at which their counts have reached `first`.

    Args:
        processes: Whose counts are summed up.
        metric: A counter.
        first: Where to begin.
        last: The last look is the last one below it.
        seconds: End after so long, even if `last` is far away.
        settle_seconds: Wait so long after `first`, for what came before to be acknowledged.
        others: Gives another count, for `Pace.others_per_second`.

    Raises:
        EndedError: One has ended, or the counts do not rise that far, or too fast.
    """
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    looks: list[_Look] = []
    begin_at = math.inf
    while len(looks) < _LEAST_LOOKS or looks[-1].at_seconds - looks[0].at_seconds < seconds:
        time.sleep(_LOOK_EVERY_SECONDS)
        for process in processes:
            process.require_alive()
        count = sum(process.metric(metric) for process in processes)
        if time.monotonic() > deadline:
            raise EndedError(f"{metric} is {count:g}, not {last:g}, after {_GIVE_UP_SECONDS:g} s")
        if count >= last:
            break
        if count >= first:
            begin_at = min(begin_at, time.monotonic() + settle_seconds)
        if time.monotonic() >= begin_at:
            looks.append(_look(processes, count, others))
    if len(looks) < _LEAST_LOOKS:
        raise EndedError(f"{metric} rose too fast to be timed: a longer log is needed")
    return _pace(looks[0], looks[-1])


def _look(processes: Sequence[Watched], count: float, others: Callable[[], int]) -> _Look:
    counted_at = time.monotonic()
    cpu_seconds = sum(process.cpu_seconds() for process in processes)
    memory_bytes = sum(process.resident_bytes() for process in processes)
    return _Look(count, counted_at, cpu_seconds, memory_bytes, others(), time.monotonic())


def _pace(first: _Look, last: _Look) -> Pace:
    done, seconds = last.count - first.count, last.at_seconds - first.at_seconds
    return Pace(
        per_second=done / seconds,
        cpu_microseconds_each=(last.cpu_seconds - first.cpu_seconds) / done * 1e6,
        memory_mebibytes=last.memory_bytes / _MEBIBYTE,
        others_per_second=(last.others - first.others) / (last.others_at_seconds - first.others_at_seconds),
    )


def time_process(module: str, metric: str, total: int, environment: Mapping[str, str]) -> Pace:
    """Start `python -m MODULE` and time it from the first tenth of a counter, which rises to `total`, to its end."""
    with watch() as watching:
        process = watching.module(module, environment)
        return time_between([process], metric, total * 0.1, total * 0.99)
