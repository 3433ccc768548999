"""What was measured, and what the goals make of it. No clock, no I/O."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import median

from msgspec import Struct

from benchmarks.feature_stage.contestants import (
    BARE,
    BARE_TICKS,
    BYTEWAX,
    BYTEWAX_TICKS,
    CONTESTANTS,
    QUIX,
    QUIX_TICKS,
    TICKCAST,
    TICKCAST_TICKS,
    Contestant,
)


class Result(Struct, frozen=True, kw_only=True):
    """Medians of one contestant with so many tickers.

    Attributes:
        rounds: Ticks per second of each round, in the order of the rounds.
        features_per_second: Feature events that came out meanwhile, final ones too: equal work has equal ones.
    """

    name: str
    tickers: int
    rounds: list[float]
    cpu_microseconds: float
    memory_mebibytes: float
    features_per_second: float

    @property
    def ticks_per_second(self) -> float:
        """Give the round in the middle."""
        return median(self.rounds)


class Measured(Struct, frozen=True, kw_only=True):
    """All of one command.

    Attributes:
        p99_ms: By contestant's name, at a fixed rate.
        two_workers: Ticks per second of two workers over that of one; None: not measured.
    """

    runs: int
    seconds: float
    cores: int
    results: list[Result]
    p99_ms: dict[str, float]
    two_workers: float | None = None

    def ticks_per_second(self, contestant: Contestant, tickers: int) -> float:
        """Give the speed of a contestant; 0 where it did not take part."""
        rounds = self.rounds(contestant, tickers)
        return median(rounds) if rounds else 0.0

    def rounds(self, contestant: Contestant, tickers: int) -> list[float]:
        """Give the ticks per second of each round; none where it did not take part."""
        return next((r.rounds for r in self.results if r.name == contestant.name and r.tickers == tickers), [])

    @property
    def tickers(self) -> list[int]:
        """Give the numbers of tickers, the smallest first."""
        return sorted({result.tickers for result in self.results})


class Goal(Struct, frozen=True):
    """One goal and how it stands; `reached` is None where it is only told."""

    text: str
    value: str
    reached: bool | None


def paired(ours: Sequence[float], others: Sequence[float]) -> float | None:
    """Give the median of the rounds' ratios: in a round both ran within minutes, on the machine as it was then.

    None where one of the two did not take part.
    """
    ratios = [mine / other for mine, other in zip(ours, others, strict=False)]
    return median(ratios) if ratios else None


def goals(measured: Measured) -> list[Goal]:
    """Hold what was measured against the goals."""
    found: list[Goal] = []
    for tickers in measured.tickers:
        rounds = partial(measured.rounds, tickers=tickers)
        where = f", {tickers:,} tickers"
        found += [
            _ratio("of the bare loop, at least 60 %" + where, rounds, (BARE,), 0.6),
            _ratio("of the best peer with our frames, at least 90 %" + where, rounds, (QUIX, BYTEWAX), 0.9),
            *(_ratio(f"of {peer.name}{where}", rounds, (peer,), 1.0) for peer in (QUIX, BYTEWAX)),
            _ratio(
                "of the best peer as documented (different input), at least 4 times" + where,
                rounds,
                (QUIX_TICKS, BYTEWAX_TICKS),
                4.0,
            ),
            _at_least(
                "one tick a record, at least 15,000 ticks/s" + where,
                measured.ticks_per_second(TICKCAST_TICKS, tickers),
                15_000,
            ),
        ]
    if len(measured.tickers) > 1:
        found.append(_fall(measured))
    if measured.two_workers is not None:
        wanted = measured.two_workers >= 1.7 if measured.cores >= 4 else None
        text = f"two workers against one, on {measured.cores} cores; at least 1.7 times where there are 4"
        found.append(Goal(text, f"{measured.two_workers:.2f} x", wanted))
    return found


def _ratio(
    text: str, rounds: Callable[[Contestant], list[float]], others: tuple[Contestant, ...], least: float
) -> Goal:
    """Hold Tickcast against the best in each round of the others that took part."""
    took_part = [rounds(other) for other in others if rounds(other)]
    best = [max(speeds) for speeds in zip(*took_part, strict=False)]
    ratio = paired(rounds(TICKCAST), best)
    if ratio is None:
        return Goal(text, "not measured", None)
    return Goal(text, f"{ratio:.0%}" if least <= 1 else f"{ratio:.1f} x", ratio >= least)


def _at_least(text: str, value: float, least: float) -> Goal:
    return Goal(text, f"{value:,.0f}", value >= least) if value else Goal(text, "not measured", None)


def _fall(measured: Measured) -> Goal:
    few, many = measured.tickers[0], measured.tickers[-1]
    text = f"fall from {few:,} to {many:,} tickers, at most 10 %"
    ratio = paired(measured.rounds(TICKCAST, many), measured.rounds(TICKCAST, few))
    if ratio is None:
        return Goal(text, "not measured", None)
    fall = 1 - ratio
    return Goal(text, f"{fall:.0%}", fall <= 0.1)


def bound_of(contestant: Contestant) -> Contestant:
    """Give the bare loop that a contestant is held against."""
    return BARE if contestant.input == "frames" else BARE_TICKS


BY_NAME: Mapping[str, Contestant] = {contestant.name: contestant for contestant in CONTESTANTS}
