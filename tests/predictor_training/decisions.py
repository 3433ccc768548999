"""Decisions, commands and boards of drift, as they come on their topics."""

from collections.abc import Sequence

from schemas.events import ModelAction, ModelEvent, Scoreboard
from schemas.times import interval_ns
from tests.predictor.boards import board

DAY_NS = interval_ns("1d")


def decision(
    serving: str | None, *, command_id: str | None = None, number: int = 0, train_end_ns: int = 0
) -> ModelEvent:
    """Give a decision after which a set serves."""
    return ModelEvent(
        id=f"decision-{number}",
        model_set=serving or "set-a",
        action=ModelAction.PROMOTED if serving else ModelAction.UNLOADED,
        serving=serving,
        location=None,
        interval="1d",
        horizons=[1],
        feature_version="1",
        train_start_ns=0,
        train_end_ns=train_end_ns,
        members=[],
        decided_by="trainer",
        reason="",
        decided_at_ns=number,
        command_id=command_id,
    )


def drift_board(day: int, *, asked: bool, model_set: str = "set-a", ticker: str = "*") -> Scoreboard:
    """Give the board of all as of a day."""
    drift = {"loss": "alarm" if asked else "stable", "loss_dates": "1", "retrain": "asked" if asked else "no"}
    return board(ticker, day * DAY_NS, drift=drift, model_set=model_set)


def drift_boards(asked: Sequence[bool], *, first_day: int = 1, model_set: str = "set-a") -> list[Scoreboard]:
    """Give a board for each day."""
    return [drift_board(day, asked=each, model_set=model_set) for day, each in enumerate(asked, first_day)]
