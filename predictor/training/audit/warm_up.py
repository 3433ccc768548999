"""Does anything count that must not: in-sample predictions, warm-up, loops, partial bars?"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from msgspec import structs

from feature_stream.scores.state import pooled_scoreboard
from predictor.training.audit.events import Settle, last_bars_of, prediction_events, settled
from predictor.training.audit.findings import Finding, first_difference, first_problem
from predictor.training.audit.world import World
from schemas.codec import encode
from schemas.events import Origin, Outcome, Scoreboard
from schemas.times import Interval

NAME = "warm_up"
BoardOf = Callable[[Iterable[Outcome], Interval], Scoreboard | None]

_BARS = 80
#: Every so many-th bar and prediction carries a mark.
_EVERY = 29
#: What is on a prediction, and on a bar, that must keep an outcome from counting.
_ON_PREDICTIONS: dict[str, dict[str, Any]] = {
    "in_sample": {"in_sample": True},
    "warm_up": {"origin": Origin.WARM_UP},
    "repeat": {"origin": Origin.REPEAT},
    "partial": {"partial": True},
}
_ON_BARS: dict[str, dict[str, Any]] = {
    "warm_up": {"origin": Origin.WARM_UP},
    "repeat": {"origin": Origin.REPEAT},
    "partial": {"partial": True},
}


def own_board(outcomes: Iterable[Outcome], interval: Interval) -> Scoreboard | None:
    """Score as the product does, at no time of any clock."""
    return pooled_scoreboard(outcomes, interval, 0)


def check_warm_up(world: World, settle: Settle = settled, board_of: BoardOf = own_board) -> Finding:
    """Mark some predictions and bars, settle them, and see that nothing marked counts, nor moves a scoreboard."""
    bars = next(last_bars_of(world, _BARS), None)
    if bars is None:
        return Finding(NAME, "nothing", f"no ticker has {_BARS} bars")
    predictions = prediction_events(bars, world.horizons, np.random.default_rng(world.seed))
    counted = 0

    def problems() -> Iterable[str | None]:
        nonlocal counted
        for reason, changes in _ON_PREDICTIONS.items():
            outcomes = settle(world.interval, bars, _marked(predictions, changes))
            counted += len(outcomes)
            yield _counts(outcomes, reason, _of_marked_predictions)
            yield _moves_the_board(outcomes, reason, _of_marked_predictions, board_of)
        for reason, changes in _ON_BARS.items():
            outcomes = settle(world.interval, _marked(bars, changes), predictions)
            counted += len(outcomes)
            yield _counts(outcomes, reason, _over_marked_bars)
            yield _moves_the_board(outcomes, reason, _over_marked_bars, board_of)

    problem = first_problem(problems())
    compared = f"{counted} outcomes, some of them {', '.join(_ON_PREDICTIONS)}; the scoreboard with and without those"
    return Finding(NAME, compared, problem)


def _marked(events: Sequence[Any], changes: dict[str, Any]) -> list[Any]:
    return [structs.replace(event, **changes) if event.bar_index % _EVERY == 0 else event for event in events]


def _of_marked_predictions(outcome: Outcome) -> bool:
    return outcome.bar_index % _EVERY == 0


def _over_marked_bars(outcome: Outcome) -> bool:
    """Tell whether a marked bar lies between the prediction's own and the one that the horizon ends with."""
    return any(index % _EVERY == 0 for index in range(outcome.bar_index, outcome.bar_index + outcome.horizon + 1))


def _counts(outcomes: Sequence[Outcome], reason: str, marked: Callable[[Outcome], bool]) -> str | None:
    if not any(map(marked, outcomes)):
        return f"{reason}: nothing that is so was settled: nothing was shown"
    wrong = next((outcome for outcome in outcomes if outcome.scored == marked(outcome)), None)
    if wrong is None:
        return None
    return f"{reason}: {wrong.id} {'counts' if wrong.scored else 'does not count, and should'}"


def _moves_the_board(
    outcomes: Sequence[Outcome], reason: str, marked: Callable[[Outcome], bool], board_of: BoardOf
) -> str | None:
    """Let what must not count be wildly wrong, and compare the board with one that was never told of it."""
    told = [structs.replace(each, actual_log_return=9.0, hit=True) if marked(each) else each for each in outcomes]
    boards = [board_of(those, outcomes[0].interval) for those in (told, [o for o in outcomes if not marked(o)])]
    one, other = ({} if board is None else {"board": encode(board)} for board in boards)
    return None if first_difference(one, other) is None else f"{reason}: what must not count changes the scoreboard"
