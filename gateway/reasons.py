"""Why a prediction is what it is: who said what, on what it rests, and how right that has been so far."""

from collections import defaultdict

from msgspec import Struct

from gateway.accuracy import AccuracyHorizon, horizon_accuracy
from gateway.members import MemberView, member_views
from gateway.scores import score_of
from schemas.events import OLD_MODELS, ModelEvent, Scoreboard
from schemas.public import PublicPrediction

#: Features that are named as drivers.
MOST_DRIVERS = 10


class Driver(Struct, frozen=True, kw_only=True):
    """A feature that the models rest on.

    Attributes:
        importance: How much worse the models got on the hold-out without it, weighed by their shares; not this
            prediction's own: the models say no such thing.
    """

    feature: str
    importance: float


class Reasoning(Struct, frozen=True, kw_only=True):
    """Why a prediction is what it is.

    Attributes:
        summary: In words.
        accuracy: So far, for this horizon; null before anything has matured.
        accuracy_of: The ticker, or `*` where it has none of its own.
        cautions: What speaks against relying on it.
    """

    summary: str
    members: list[MemberView]
    drivers: list[Driver]
    accuracy: AccuracyHorizon | None
    accuracy_of: str | None
    cautions: list[str]


class ReasonedPrediction(PublicPrediction, frozen=True, kw_only=True):
    """A prediction with its reasons; null where they were not asked for."""

    reasoning: Reasoning | None


def reasoning_of(
    prediction: PublicPrediction, horizon: int, board: Scoreboard | None, event: ModelEvent | None
) -> Reasoning:
    """Give the reasons for the prediction of a horizon."""
    members = member_views(prediction, horizon, board, event)
    score = score_of(board, horizon)
    so_far = horizon_accuracy(score) if score else None
    return Reasoning(
        summary=_summary(prediction, horizon, members),
        members=members,
        drivers=_drivers(members, event),
        accuracy=so_far,
        accuracy_of=board.ticker if board and score else None,
        cautions=_cautions(prediction, so_far),
    )


def _summary(prediction: PublicPrediction, horizon: int, members: list[MemberView]) -> str:
    together = next(one for one in prediction.horizons if one.horizon == horizon)
    shares = ", ".join(
        f"{member.name} ({member.weight:.0%}) says {member.percent:+.2f} %" for member in members if member.weight > 0
    )
    return (
        f"{shares or 'no weighed model answered'}: together {together.percent:+.2f} % over {horizon} bars, "
        f"{together.direction} with confidence {together.confidence:.2f}"
    )


def _drivers(members: list[MemberView], event: ModelEvent | None) -> list[Driver]:
    shares = {member.name: member.weight for member in members if member.weight > 0}
    importance: dict[str, float] = defaultdict(float)
    for member in event.members if event else []:
        for feature, value in member.feature_importance.items():
            importance[feature] += shares.get(member.name, 0.0) * value
    first = sorted(importance.items(), key=lambda item: (-item[1], item[0]))[:MOST_DRIVERS]
    return [Driver(feature=feature, importance=value) for feature, value in first if value > 0]


def _cautions(prediction: PublicPrediction, so_far: AccuracyHorizon | None) -> list[str]:
    cautions = []
    if prediction.degraded == OLD_MODELS:
        cautions.append("its models are old: a retraining is recommended")
    elif prediction.degraded is not None:
        cautions.append(f"degraded: {prediction.degraded}")
    if prediction.in_sample:
        cautions.append("in sample: the training has seen this time")
    if prediction.provisional:
        cautions.append("provisional: its bar is still open")
    if so_far is None:
        cautions.append("nothing has matured yet: there is no live accuracy")
    elif so_far.hit_rate_difference_low is None or so_far.hit_rate_difference_low <= 0:
        cautions.append("so far its hit rate cannot be told from that of the usual direction")
    return cautions
