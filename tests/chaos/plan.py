"""What is done to whom, and when: all of it from a seed."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What can happen to a member."""

    KILL = "killed and started again"
    FREEZE = "stopped beyond its session and continued"
    RESTART = "ended politely and started again"
    ADD = "added"
    REMOVE = "removed"


INGESTOR, PREDICTOR, BROKER = "ingestor", "predictor", "broker"
WORKER = "worker"
FIRST_WORKERS = ("worker-1", "worker-2")
MOST_WORKERS = 3
#: The shortest session that the stage allows; the predictor's is the same.
SESSION_SECONDS = 6.0

#: One of these rounds after the other is shuffled and dealt; the first round begins with the short run's.
_SHORT = ((Kind.KILL, WORKER), (Kind.FREEZE, WORKER), (Kind.KILL, BROKER), (Kind.KILL, INGESTOR), (Kind.ADD, WORKER))
_REST = (
    (Kind.KILL, WORKER),
    (Kind.KILL, WORKER),
    (Kind.FREEZE, WORKER),
    (Kind.RESTART, WORKER),
    (Kind.ADD, WORKER),
    (Kind.KILL, PREDICTOR),
    (Kind.FREEZE, PREDICTOR),
    (Kind.RESTART, PREDICTOR),
    (Kind.FREEZE, INGESTOR),
    (Kind.RESTART, INGESTOR),
)
#: This share comes at once after the one before, while that one is still felt.
_AT_ONCE_SHARE = 0.3
_PAUSE_SECONDS = (1.0, 6.0)
_AWAY_SECONDS = (0.0, 4.0)
_FROZEN_SECONDS = (SESSION_SECONDS + 1.0, SESSION_SECONDS + 4.0)


@dataclass(frozen=True)
class Disturbance:
    """One thing that happens.

    Attributes:
        pause_seconds: Between the one before and this one; 0: at once.
        lasts_seconds: How long the member stands still, or is away.
    """

    kind: Kind
    member: str
    pause_seconds: float
    lasts_seconds: float

    def __str__(self) -> str:
        lasts = f" after {self.lasts_seconds:.1f} s" if self.lasts_seconds else ""
        return f"{self.member} {self.kind}{lasts}"


def plan(seed: int, count: int) -> list[Disturbance]:
    """Give so many disturbances; the same ones for the same seed."""
    rng = random.Random(seed)
    workers = list(FIRST_WORKERS)
    born = len(workers)
    disturbances = []
    for number, (kind, whom) in zip(range(count), _dealt(rng), strict=False):
        if kind is Kind.ADD and len(workers) >= MOST_WORKERS:
            kind = Kind.REMOVE  # noqa: PLW2901
        if kind is Kind.ADD:
            born += 1
            workers.append(member := f"{WORKER}-{born}")
        else:
            member = rng.choice(workers) if whom == WORKER else whom
        if kind is Kind.REMOVE:
            workers.remove(member)
        at_once = number > 0 and rng.random() < _AT_ONCE_SHARE
        pause_seconds = 0.0 if at_once else rng.uniform(*_PAUSE_SECONDS)
        disturbances.append(Disturbance(kind, member, pause_seconds, _lasts_seconds(rng, kind)))
    return disturbances


def nominal_seconds(disturbances: list[Disturbance]) -> float:
    """Say how long a plan takes on a machine that is quick."""
    return sum(each.pause_seconds + each.lasts_seconds for each in disturbances)


def _dealt(rng: random.Random) -> Iterator[tuple[Kind, str]]:
    yield from rng.sample(_SHORT, len(_SHORT))
    yield from rng.sample(_REST, len(_REST))
    deck = _SHORT + _REST
    while True:
        yield from rng.sample(deck, len(deck))


def _lasts_seconds(rng: random.Random, kind: Kind) -> float:
    if kind is Kind.FREEZE:
        return rng.uniform(*_FROZEN_SECONDS)
    return 0.0 if kind in (Kind.ADD, Kind.REMOVE) else rng.uniform(*_AWAY_SECONDS)
