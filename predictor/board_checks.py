"""Which scoreboards may be applied: a number that cannot be is refused with its board, and never served."""

import math

from schemas.events import HorizonScore, Scoreboard
from schemas.symbols import is_ticker
from schemas.times import Interval

#: Versions are parts of a prediction's id, which is a header too; theirs are far shorter.
LONGEST_VERSION = 100
#: How far the weights of a horizon may be from adding up to 1: they were added up and written as decimals.
_SUM_TOLERANCE = 1e-6
#: A multiple of a quantile beyond this is garbage; within, half-widths are numbers.
_LARGEST_WIDTH = 1e6
_LARGEST_NS = 2**62  # far beyond any market


def problem_of(board: Scoreboard, interval: Interval, *, of_all: bool) -> str | None:
    """Say what makes a decoded board unusable, naming the field; None where nothing does.

    Only what is applied is looked at: the weights of the board of all tickers, the widths of a ticker's.
    """
    horizons = [score.horizon for score in board.horizons]
    checks = (
        (of_all or is_ticker(board.ticker), f"ticker {board.ticker[:32]!r} is not a symbol"),
        (board.interval == interval, f"interval is {board.interval}, not {interval}"),
        (abs(board.through_ns) < _LARGEST_NS, f"through_ns {board.through_ns} is not a time"),
        (_is_version(board.weights_version), f"weights_version is not of 1 to {LONGEST_VERSION} characters"),
        (_is_version(board.intervals_version), f"intervals_version is not of 1 to {LONGEST_VERSION} characters"),
        (len(set(horizons)) == len(horizons), f"horizons {horizons[:9]} has one twice"),
    )
    found = next((problem for holds, problem in checks if not holds), None)
    found = found or next(filter(None, map(_weights_problem if of_all else _widths_problem, board.horizons)), None)
    return None if found is None else f"Scoreboard: {found}"


def widths_of(score: HorizonScore | None) -> tuple[float | None, float | None]:
    """Give the multiples at 95 % and 99 %; None where there is none."""
    return (None, None) if score is None else (score.width_95, score.width_99)


def _is_version(text: str) -> bool:
    return 1 <= len(text) <= LONGEST_VERSION


def _weights_problem(score: HorizonScore) -> str | None:
    weights = score.weights.values()
    if not weights or (
        all(math.isfinite(weight) and weight >= 0 for weight in weights)
        and abs(math.fsum(weights) - 1.0) <= _SUM_TOLERANCE
    ):
        return None
    return f"weights of horizon {score.horizon} are {list(weights)[:9]}: not shares that add up to 1"


def _widths_problem(score: HorizonScore) -> str | None:
    wrong = [width for width in widths_of(score) if width is not None and not 0 < width <= _LARGEST_WIDTH]
    return f"width {wrong[0]} of horizon {score.horizon} is not a multiple above 0" if wrong else None
