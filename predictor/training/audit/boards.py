"""Is a scoreboard made of what had matured by its time, and is none applied before it?"""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby, islice
from typing import Protocol

import numpy as np

from feature_stream.scores.state import ScoreKeeper
from predictor.scoring_boards import KEPT, ScoringBoards, Weights, Widths
from predictor.training.audit.events import last_bars_of, prediction_events, settled
from predictor.training.audit.findings import Finding, first_problem
from predictor.training.audit.world import World
from schemas.codec import encode
from schemas.events import Outcome, Scoreboard
from schemas.times import Interval, to_rfc3339

NAME = "boards"
#: Boards as they are published while outcomes mature, in order.
BoardsAlong = Callable[[Sequence[Outcome], Interval], list[Scoreboard]]

#: Bars of each ticker: with the longest horizon gone, boards of fewer dates than the predictor keeps.
_BARS = 70
_TICKERS = 2
#: Boards are made again at so many cuts.
_CUTS = 1


class Shelf(Protocol):
    """What the predictor asks for weights and widths."""

    def add(self, board: Scoreboard) -> str | None:
        """Take a board; say what makes it unusable."""
        ...

    def weights(self, as_of_ns: int) -> Weights | None:
        """Give the weights for predictions as of a time."""
        ...

    def widths(self, ticker: str, as_of_ns: int) -> Widths | None:
        """Give the widths for a ticker's prediction as of a time."""
        ...


NewShelf = Callable[[Interval, Sequence[int]], Shelf]


def boards_along(outcomes: Sequence[Outcome], interval: Interval) -> list[Scoreboard]:
    """Keep the scores as the product does: after each time at which outcomes mature, the boards that they change."""
    keeper, boards = ScoreKeeper(interval), []
    for _, matured in groupby(outcomes, key=lambda outcome: outcome.matured_ns):
        changed = keeper.add(matured)
        boards += [keeper.board(ticker, 0) for ticker in sorted(changed)]
        if changed:
            boards.append(keeper.pooled_board(0))
    return boards


def check_boards(world: World, along: BoardsAlong = boards_along, new_shelf: NewShelf = ScoringBoards) -> Finding:
    """Compare boards with and without later outcomes, and what is applied as of a time likewise."""
    outcomes = _outcomes(world)
    boards = along(outcomes, world.interval)
    times_ns = sorted({outcome.matured_ns for outcome in outcomes})[-KEPT:]

    def problems() -> Iterable[str | None]:
        for cut_ns in times_ns[len(times_ns) // 3 :: max(1, len(times_ns) // (_CUTS + 1))]:
            yield _knows_later(boards, along, outcomes, cut_ns, world.interval)
        yield _applied_too_early(boards, new_shelf, times_ns, world)

    problem = first_problem(problems()) if boards else "no board came out: nothing was shown"
    compared = (
        f"{len(boards)} boards of {len(outcomes)} outcomes, with and without later ones, as of {len(times_ns)} times"
    )
    return Finding(NAME, compared, problem)


def _outcomes(world: World) -> list[Outcome]:
    """Give outcomes of forecasts that know nothing, in the order in which they mature."""
    random = np.random.default_rng(world.seed)
    outcomes = [
        outcome
        for bars in islice(last_bars_of(world, _BARS), _TICKERS)
        for outcome in settled(world.interval, bars, prediction_events(bars, world.horizons, random))
    ]
    return sorted(outcomes, key=lambda outcome: (outcome.matured_ns, outcome.ticker, outcome.horizon))


def _knows_later(
    boards: Sequence[Scoreboard], along: BoardsAlong, outcomes: Sequence[Outcome], cut_ns: int, interval: Interval
) -> str | None:
    whole = [encode(board) for board in boards if board.through_ns <= cut_ns]
    alone = [encode(board) for board in along([each for each in outcomes if each.matured_ns <= cut_ns], interval)]
    return None if whole == alone else f"the boards through {to_rfc3339(cut_ns)} hang on later outcomes"


def _applied_too_early(
    boards: Sequence[Scoreboard], new_shelf: NewShelf, times_ns: Sequence[int], world: World
) -> str | None:
    """Ask a shelf with all boards, and one that has only those that were there, as of each time and just before it."""
    everything, then = (new_shelf(world.interval, world.horizons) for _ in range(2))
    recent = [board for board in boards if board.through_ns >= times_ns[0]]
    for each in recent:
        everything.add(each)
    tickers, applied, waiting = sorted(world.bars), 0, iter(recent)
    board: Scoreboard | None = next(waiting, None)
    for as_of_ns in (time_ns - before for time_ns in times_ns for before in (1, 0)):
        while board is not None and board.through_ns <= as_of_ns:
            then.add(board)
            board = next(waiting, None)
        found, known = _all_applied(everything, tickers, as_of_ns), _all_applied(then, tickers, as_of_ns)
        if found != known:
            return f"as of {to_rfc3339(as_of_ns)} a scoreboard is applied that came later"
        applied += sum(thing is not None for thing in known)
    return None if applied else "no board was applied: nothing was shown"


def _all_applied(shelf: Shelf, tickers: Sequence[str], as_of_ns: int) -> list[Weights | Widths | None]:
    return [shelf.weights(as_of_ns), *(shelf.widths(ticker, as_of_ns) for ticker in tickers)]
