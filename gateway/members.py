"""The models side by side: what each says, what it counts, and how it has done."""

import math

from msgspec import Struct

from gateway.scores import score_of
from schemas.events import Direction, HoldOutScore, MemberHorizon, MemberPrediction, ModelEvent, ModelScore, Scoreboard
from schemas.public import Integer, PublicPrediction, Time

#: Beyond it the exponential has no meaning for a price; none is that far.
_LARGEST_LOG_RETURN = 50.0


class MemberView(Struct, frozen=True, kw_only=True):
    """One model's own prediction for one horizon.

    Attributes:
        weight: Its share of the ensemble's forecast; 0: shown and scored, not counted.
        direction: The sign of its own forecast.
        rolling: Its errors so far, live; null before anything has matured.
        hold_out: Its errors on the hold-out of its training.
    """

    name: str
    version: str
    weight: float
    prior_weight: float | None
    log_return: float
    percent: float
    price_target: float
    direction: Direction
    confidence: float
    rolling: ModelScore | None
    hold_out: HoldOutScore | None


class ComparedHorizon(Struct, frozen=True, kw_only=True):
    """All models on one horizon, beside the ensemble and the forecast of no change.

    Attributes:
        rolling_of: The ticker of the scoreboard, `*` for all: where the ticker has none of its own.
    """

    horizon: Integer
    price_target: float
    direction: Direction
    confidence: float
    members: list[MemberView]
    rolling_of: str | None
    ensemble_rolling: ModelScore | None
    no_change_rolling: ModelScore | None


class MemberTraining(Struct, frozen=True, kw_only=True):
    """How one model was trained."""

    version: str
    prior_weight: float
    training_seconds: float
    feature_importance: dict[str, float]


class Comparison(Struct, frozen=True, kw_only=True):
    """The models of a ticker's latest prediction, side by side."""

    ticker: str
    model_set: str
    current_price: float
    updated_at: Time
    horizons: list[ComparedHorizon]
    training: dict[str, MemberTraining]


def member_views(
    prediction: PublicPrediction, horizon: int, board: Scoreboard | None, event: ModelEvent | None
) -> list[MemberView]:
    """Give what each model says of a horizon, the weightiest first."""
    views = [
        _view(member, own, prediction.current_price, board, event)
        for member in prediction.models
        for own in member.horizons
        if own.horizon == horizon
    ]
    return sorted(views, key=lambda view: (-view.weight, view.name))


def _view(
    member: MemberPrediction,
    own: MemberHorizon,
    price: float,
    board: Scoreboard | None,
    event: ModelEvent | None,
) -> MemberView:
    score = score_of(board, own.horizon)
    growth = math.expm1(min(own.log_return, _LARGEST_LOG_RETURN))
    return MemberView(
        name=member.name,
        version=member.version,
        weight=own.weight,
        prior_weight=own.prior_weight,
        log_return=own.log_return,
        percent=100.0 * growth,
        price_target=price * (1.0 + growth),
        direction=_direction(own.log_return),
        confidence=own.confidence,
        rolling=score.models.get(member.name) if score else None,
        hold_out=_hold_out(event, member.name, own.horizon),
    )


def _direction(log_return: float) -> Direction:
    if log_return == 0:
        return Direction.NEUTRAL
    return Direction.BULLISH if log_return > 0 else Direction.BEARISH


def _hold_out(event: ModelEvent | None, name: str, horizon: int) -> HoldOutScore | None:
    members = [] if event is None else event.members
    scores = [score for member in members if member.name == name for score in member.hold_out]
    return next((score for score in scores if score.horizon == horizon), None)


def compare(prediction: PublicPrediction, board: Scoreboard | None, event: ModelEvent | None) -> Comparison:
    """Put the models of a prediction side by side."""
    return Comparison(
        ticker=prediction.ticker,
        model_set=prediction.model_set,
        current_price=prediction.current_price,
        updated_at=prediction.updated_at,
        horizons=[_compared(prediction, one.horizon, board, event) for one in prediction.horizons],
        training={
            member.name: MemberTraining(
                version=member.version,
                prior_weight=member.prior_weight,
                training_seconds=member.training_seconds,
                feature_importance=member.feature_importance,
            )
            for member in (event.members if event else [])
        },
    )


def _compared(
    prediction: PublicPrediction, horizon: int, board: Scoreboard | None, event: ModelEvent | None
) -> ComparedHorizon:
    together = next(one for one in prediction.horizons if one.horizon == horizon)
    score = score_of(board, horizon)
    return ComparedHorizon(
        horizon=horizon,
        price_target=together.price_target,
        direction=together.direction,
        confidence=together.confidence,
        members=member_views(prediction, horizon, board, event),
        rolling_of=board.ticker if board and score else None,
        ensemble_rolling=score.ensemble if score else None,
        no_change_rolling=score.naive if score else None,
    )
