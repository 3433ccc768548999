"""Accuracy so far, as people see it: always beside the forecast without skill, with its uncertainty."""

from typing import Annotated

from msgspec import Meta, Struct

from gateway.presentation import time_text
from gateway.scores import ALL
from schemas.events import HorizonScore, ModelEvent, Scoreboard
from schemas.json_schemas import TICKER_OR_ALL_PATTERN
from schemas.public import Integer, Time
from schemas.times import Interval

NOTHING_YET = "no prediction has matured and been scored yet: ask again when its horizon has passed"


class AccuracyHorizon(Struct, frozen=True, kw_only=True):
    """Rolling accuracy of one horizon; errors are in log return. `docs/scores.md` defines each number.

    Attributes:
        count: Predictions that have matured.
        dates: Different dates among them: predictions of one date share their shocks.
        trials: Of the direction: predictions that had one, of prices that moved.
        hit_rate: Share of right directions, by date, with its interval at 95 %; null limits: too few dates to tell.
        baseline_hit_rate: Of the direction that was more frequent before training, on the same trials.
        hit_rate_difference: The hit rate less the baseline's, with its interval at 95 %: above 0 there is skill.
        precision: Of "bullish", like recall and f1.
        mean_absolute_percentage_error: Of the price at the horizon's end, in percent.
        baseline_mean_absolute_error: Of no change, like the two that follow.
        error_ratio: Mean squared error over that of no change: below 1 is better.
        error_p_value: Whether the two can be told apart; null: too few dates.
        coverage_95: Share of prices that ended within the interval.
    """

    horizon: Integer
    count: Integer
    dates: Integer
    trials: Integer
    hit_rate: float | None
    hit_rate_low: float | None
    hit_rate_high: float | None
    baseline_hit_rate: float | None
    hit_rate_difference: float | None
    hit_rate_difference_low: float | None
    hit_rate_difference_high: float | None
    precision: float | None
    recall: float | None
    f1: float | None
    mean_absolute_error: float
    root_mean_squared_error: float
    mean_absolute_percentage_error: float | None
    baseline_mean_absolute_error: float
    baseline_root_mean_squared_error: float
    baseline_mean_absolute_percentage_error: float | None
    error_ratio: float | None
    error_p_value: float | None
    coverage_95: float | None
    coverage_99: float | None
    mean_confidence: float | None
    brier_score: float | None


class LastTraining(Struct, frozen=True, kw_only=True):
    """The training of the set that serves."""

    model_set: str
    decided_at: Time
    train_start: Time
    train_end: Time
    training_seconds: float


class Accuracy(Struct, frozen=True, kw_only=True):
    """Live accuracy of a ticker, or of all (`*`).

    Attributes:
        message: Why there is nothing yet; else empty.
        through: Event time up to which outcomes are in it.
        total: Matured predictions in it, over all horizons.
        tickers: Of all: those that have accuracy of their own.
    """

    ticker: Annotated[str, Meta(pattern=TICKER_OR_ALL_PATTERN)]
    message: str
    interval: Interval | None
    model_set: str | None
    through: Time | None
    updated_at: Time | None
    total: Integer
    horizons: list[AccuracyHorizon]
    drift: dict[str, str]
    retrain_recommended: bool
    last_training: LastTraining | None
    tickers: list[str]


def horizon_accuracy(score: HorizonScore) -> AccuracyHorizon:
    """Give the public form of a horizon's scores."""
    ensemble, naive = score.ensemble, score.naive
    return AccuracyHorizon(
        horizon=score.horizon,
        count=ensemble.count,
        dates=score.settled_dates,
        trials=ensemble.trials,
        hit_rate=ensemble.hit_rate,
        hit_rate_low=ensemble.hit_rate_low,
        hit_rate_high=ensemble.hit_rate_high,
        baseline_hit_rate=score.usual_hit_rate,
        hit_rate_difference=score.hit_rate_difference,
        hit_rate_difference_low=score.hit_rate_difference_low,
        hit_rate_difference_high=score.hit_rate_difference_high,
        precision=ensemble.precision,
        recall=ensemble.recall,
        f1=ensemble.f1,
        mean_absolute_error=ensemble.mean_absolute_error,
        root_mean_squared_error=ensemble.root_mean_squared_error,
        mean_absolute_percentage_error=ensemble.mean_absolute_percentage_error,
        baseline_mean_absolute_error=naive.mean_absolute_error,
        baseline_root_mean_squared_error=naive.root_mean_squared_error,
        baseline_mean_absolute_percentage_error=naive.mean_absolute_percentage_error,
        error_ratio=score.error_ratio,
        error_p_value=score.error_p_value,
        coverage_95=score.coverage_95,
        coverage_99=score.coverage_99,
        mean_confidence=ensemble.mean_confidence,
        brier_score=ensemble.brier_score,
    )


def last_training(event: ModelEvent | None) -> LastTraining | None:
    """Give the training of the set that serves; None where none does."""
    if event is None or event.serving is None:
        return None
    return LastTraining(
        model_set=event.serving,
        decided_at=time_text(event.decided_at_ns),
        train_start=time_text(event.train_start_ns),
        train_end=time_text(event.train_end_ns),
        training_seconds=sum(member.training_seconds for member in event.members),
    )


def accuracy(
    ticker: str, board: Scoreboard | None, event: ModelEvent | None, tickers: list[str], *, retrain: bool
) -> Accuracy:
    """Give the accuracy of a ticker, or of all, by its board."""
    return Accuracy(
        ticker=ticker,
        message="" if board else NOTHING_YET,
        interval=board.interval if board else None,
        model_set=board.model_set if board else None,
        through=time_text(board.through_ns) if board else None,
        updated_at=time_text(board.updated_at_ns) if board else None,
        total=sum(score.ensemble.count for score in board.horizons) if board else 0,
        horizons=[horizon_accuracy(score) for score in board.horizons] if board else [],
        drift=board.drift if board else {},
        retrain_recommended=retrain,
        last_training=last_training(event),
        tickers=tickers if ticker == ALL else [],
    )
