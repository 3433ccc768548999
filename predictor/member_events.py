"""The members' numbers to what `Prediction` shows of them."""

from itertools import cycle

from predictor.columns import by_row, or_none
from predictor.ensemble import Answer
from predictor.group import Group
from predictor.models.base import FloatArray
from schemas.events import MemberHorizon, MemberPrediction


def member_predictions(group: Group) -> list[list[MemberPrediction]]:
    """Give by row what each member said that answered it."""
    said = group.ensemble
    members = zip(said.answers, said.own_log_returns, said.own_confidences, said.weights, strict=True)
    columns = [_member(group.horizons, *member) for member in members]
    if all(answer.answered.all() for answer in said.answers):
        return list(map(list, zip(*columns, strict=True)))
    answered = zip(*(answer.answered.tolist() for answer in said.answers), strict=True)
    return [
        [each for each, its in zip(row, its_answers, strict=True) if its]
        for row, its_answers in zip(zip(*columns, strict=True), answered, strict=True)
    ]


def _member(
    horizons: tuple[int, ...], answer: Answer, log_returns: FloatArray, confidences: FloatArray, weights: FloatArray
) -> list[MemberPrediction]:
    prior_weight = answer.prior_weight
    made = [
        MemberHorizon(
            horizon=horizon,
            log_return=log_return,
            spread=spread,
            confidence=confidence,
            weight=weight,
            prior_weight=prior_weight,
        )
        for log_return, spread, confidence, weight, horizon in zip(
            log_returns.ravel().tolist(),
            or_none(answer.spreads),
            confidences.ravel().tolist(),
            weights.ravel().tolist(),
            cycle(horizons),
            strict=False,
        )
    ]
    return [
        MemberPrediction(name=answer.name, version=answer.version, horizons=its) for its in by_row(made, len(horizons))
    ]
