"""The scoreboards that a prediction may use: of its ticker and of all, the newest that knows nothing later than it."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from predictor.board_checks import problem_of, widths_of
from schemas.events import HorizonScore, Scoreboard
from schemas.times import Interval

#: The ticker of the board that speaks of all.
ALL = "*"
#: Versions of weights and of intervals, as in `Prediction`, where no board has changed them.
PRIOR, HOLD_OUT = "prior", "holdout"
#: Boards that are kept of each ticker. A predictor that is further behind than this serves what was before any board.
KEPT = 64

Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True)
class Weights:
    """What the members' errors have made of their weights.

    Attributes:
        by_horizon: In the order of the predictor's horizons: by member, adding up to 1; None where the board has none.
    """

    version: str
    by_horizon: tuple[Mapping[str, float] | None, ...]


@dataclass(frozen=True, slots=True)
class Widths:
    """What a ticker's outcomes have made of its intervals: multiples of the model set's own first quantiles.

    Attributes:
        multiples: At 95 % for each of the predictor's horizons in order, then at 99 %; 1 where the board has none.
    """

    version: str
    multiples: tuple[float, ...]


class _Shelf(Generic[Kept]):
    """The last few things that came, by the time through which they know."""

    __slots__ = ("_by_through", "_throughs")

    def __init__(self) -> None:
        self._by_through: dict[int, Kept] = {}  # in the order in which they came
        self._throughs: list[int] = []

    def put(self, through_ns: int, thing: Kept) -> None:
        """Keep a thing, in place of one of the same time; what came first goes where there is no room."""
        if through_ns in self._by_through:
            del self._by_through[through_ns]
        else:
            insort(self._throughs, through_ns)
        self._by_through[through_ns] = thing
        if len(self._by_through) > KEPT:
            first = next(iter(self._by_through))
            del self._by_through[first]
            del self._throughs[bisect_left(self._throughs, first)]

    def newest(self, as_of_ns: int) -> Kept | None:
        """Give the newest that knows nothing later; None where none is."""
        throughs = self._throughs
        if throughs and throughs[-1] <= as_of_ns:
            return self._by_through[throughs[-1]]
        place = bisect_right(throughs, as_of_ns)
        return self._by_through[throughs[place - 1]] if place else None


class ScoringBoards:
    """What is applied of the boards that came: weights of the board of all tickers, widths of each ticker's own."""

    def __init__(self, interval: Interval, horizons: Sequence[int]) -> None:
        self._interval = interval
        self._horizons = tuple(horizons)
        self._weights = _Shelf[Weights | None]()
        self._widths: dict[str, _Shelf[Widths | None]] = {}

    def add(self, board: Scoreboard) -> str | None:
        """Take a board; say what makes it unusable, or None where nothing does. An unusable one changes nothing."""
        problem = problem_of(board, self._interval, of_all=board.ticker == ALL)
        if problem is not None:
            return problem
        scores = {score.horizon: score for score in board.horizons}
        if board.ticker == ALL:
            self._weights.put(board.through_ns, self._weights_on(board, scores))
        else:
            self._widths.setdefault(board.ticker, _Shelf()).put(board.through_ns, self._widths_on(board, scores))
        return None

    def weights(self, as_of_ns: int) -> Weights | None:
        """Give the weights for predictions as of a time; None where the prior ones hold."""
        return self._weights.newest(as_of_ns)

    def widths(self, ticker: str, as_of_ns: int) -> Widths | None:
        """Give the widths for a ticker's prediction as of a time; None where the set's own quantiles hold."""
        shelf = self._widths.get(ticker)
        return None if shelf is None else shelf.newest(as_of_ns)

    def _weights_on(self, board: Scoreboard, scores: Mapping[int, HorizonScore]) -> Weights | None:
        found = [scores[horizon].weights if horizon in scores else {} for horizon in self._horizons]
        if board.weights_version == PRIOR or not any(found):
            return None
        return Weights(board.weights_version, tuple(weights or None for weights in found))

    def _widths_on(self, board: Scoreboard, scores: Mapping[int, HorizonScore]) -> Widths | None:
        found = [widths_of(scores.get(horizon)) for horizon in self._horizons]
        if board.intervals_version == HOLD_OUT or all(width is None for pair in found for width in pair):
            return None
        at_95, at_99 = zip(*found, strict=True)
        return Widths(board.intervals_version, tuple(1.0 if width is None else width for width in (*at_95, *at_99)))
