"""Outcomes to scoreboards, one by one: the boards are a function of the set of outcomes, not of their order."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from feature_stream.calibration import WIDTH_OUTCOMES
from feature_stream.drift import drift_of
from feature_stream.scores.board import ALL, NO_PARTITION, Marks, make_board, newest_of_all
from feature_stream.scores.columns import FloatArray, known_of, members_of
from feature_stream.scores.pool import Pool
from feature_stream.scores.shadow import word_of
from feature_stream.scores.track import Track
from feature_stream.stability import MOST_TICKERS, inputs_drift
from schemas.events import Outcome, Scoreboard
from schemas.times import Interval


@dataclass(frozen=True, slots=True)
class BoardSizes:
    """How much a board looks back on.

    Attributes:
        outcomes: Of a ticker and horizon that are scored: so many that something can be told of 21 bars.
        dates: Of all tickers that are scored; not more than `kept_dates`.
        width_outcomes: Of a ticker and horizon that the widths are made of; the largest number here.
        kept_dates: Of all tickers, for what looks back further.
    """

    outcomes: int = 500
    dates: int = 500
    width_outcomes: int = WIDTH_OUTCOMES
    kept_dates: int = 1_000


@dataclass(slots=True)
class _Taken:
    """The new outcomes of a horizon, and what is kept of them."""

    outcomes: list[Outcome] = field(default_factory=list)
    known: list[list[float]] = field(default_factory=list)
    members: list[FloatArray] = field(default_factory=list)
    words: list[list[float]] = field(default_factory=list)


class ScoreKeeper:
    """What is known of all tickers of an interval."""

    def __init__(self, interval: Interval, sizes: BoardSizes | None = None) -> None:
        self._interval = interval
        self._sizes = sizes or BoardSizes()
        self._tracks: dict[str, dict[int, Track]] = defaultdict(dict)
        self._pools: dict[int, Pool] = {}
        self._marks: dict[str, Marks] = defaultdict(Marks)
        self._offsets: dict[int, int] = {}

    @property
    def tickers(self) -> list[str]:
        """Give the tickers that have an outcome that counts."""
        return sorted(self._tracks)

    def add(self, outcomes: Iterable[Outcome]) -> set[str]:
        """Take outcomes, each once however often it comes; what is not `scored` does not count.

        Nor does what became of forecasts from callers' own prices.

        Returns:
            The tickers whose boards they may change.
        """
        by_horizon: dict[int, list[Outcome]] = defaultdict(list)
        for outcome in outcomes:
            if outcome.scored and outcome.request_id is None and outcome.interval == self._interval:
                by_horizon[outcome.horizon].append(outcome)
        changed: set[str] = set()
        for horizon, those in by_horizon.items():
            pool = self._pool(horizon)
            pool.know(those)
            taken = self._take(those, pool)
            if taken.outcomes:
                pool.add(taken.outcomes, np.array(taken.known), np.array(taken.members), np.array(taken.words))
                changed.update(outcome.ticker for outcome in taken.outcomes)
        return changed

    def _pool(self, horizon: int) -> Pool:
        if horizon not in self._pools:
            self._pools[horizon] = Pool(horizon, self._sizes.kept_dates)
        return self._pools[horizon]

    def _take(self, outcomes: list[Outcome], pool: Pool) -> _Taken:
        taken = _Taken()
        for outcome in outcomes:
            tracks = self._tracks[outcome.ticker]
            if pool.horizon not in tracks:
                tracks[pool.horizon] = Track(self._sizes.outcomes, self._sizes.width_outcomes)
            known, members = known_of(outcome), members_of(outcome, pool.places)
            word = word_of(outcome, pool.beside)
            self._mark(outcome)
            if tracks[pool.horizon].add(outcome.start_ns, known, members, word):
                taken.outcomes.append(outcome)
                taken.known.append(known)
                taken.members.append(members)
                taken.words.append(word)
        return taken

    def _mark(self, outcome: Outcome) -> None:
        self._marks[outcome.ticker].take(outcome)
        partition = outcome.source_partition
        self._offsets[partition] = max(self._offsets.get(partition, -1), outcome.source_offset)

    def board(self, ticker: str, now_ns: int) -> Scoreboard:
        """Give the board of a ticker, of its own outcomes alone.

        Raises:
            KeyError: None of its outcomes counts.
        """
        if ticker not in self._tracks:
            raise KeyError(ticker)
        tracks, marks = self._tracks[ticker], self._marks[ticker]
        horizons = [
            track.score(list(self._pools[horizon].places), list(self._pools[horizon].beside), horizon)
            for horizon, track in sorted(tracks.items())
        ]
        return make_board(ticker, self._interval, marks, horizons, {}, now_ns)

    def pooled_board(self, now_ns: int) -> Scoreboard:
        """Give the board of all tickers.

        Its `source_offset` counts the ticks' records of all partitions, so that it rises like a ticker's.

        Raises:
            KeyError: No outcome counts.
        """
        if not self._marks:
            raise KeyError(ALL)
        marks = self._marks.values()
        everything = Marks(
            through_ns=max(mark.through_ns for mark in marks),
            bars=sum(mark.bars for mark in marks),
            partition=NO_PARTITION,
            offset=sum(offset + 1 for offset in self._offsets.values()),
            newest=newest_of_all(mark.newest for mark in marks),
        )
        horizons = [pool.score(self._sizes.dates) for _, pool in sorted(self._pools.items())]
        return make_board(ALL, self._interval, everything, horizons, self._drift(), now_ns)

    def _drift(self) -> dict[str, str]:
        if 1 not in self._pools:
            return {}
        tracks = [tracks[1] for _, tracks in sorted(self._tracks.items()) if 1 in tracks][:MOST_TICKERS]
        starts_ns, inputs = zip(*(track.inputs() for track in tracks), strict=True)
        return drift_of(*self._pools[1].losses()) | inputs_drift(starts_ns, inputs)


def scoreboard(outcomes: Iterable[Outcome], interval: Interval, now_ns: int = 0) -> Scoreboard | None:
    """Give the board of one ticker from its outcomes, in any order; None where none of them counts."""
    keeper = ScoreKeeper(interval)
    keeper.add(outcomes)
    return keeper.board(keeper.tickers[0], now_ns) if keeper.tickers else None


def pooled_scoreboard(outcomes: Iterable[Outcome], interval: Interval, now_ns: int = 0) -> Scoreboard | None:
    """Give the board of all tickers from their outcomes, in any order; None where none of them counts."""
    keeper = ScoreKeeper(interval)
    keeper.add(outcomes)
    return keeper.pooled_board(now_ns) if keeper.tickers else None
