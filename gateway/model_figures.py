"""What the board and the newest decision say of the models at the moment of a scrape."""

from collections.abc import Iterator, Mapping

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.parts import Parts
from schemas import metrics
from schemas.events import HorizonScore, ModelEvent, Scoreboard
from schemas.times import NS_PER_SECOND

_OF_SETS = (metrics.LOADED_SETS, metrics.MODEL_AGE, metrics.MEMBER_TRAINING, metrics.TRAINING_DATA_AGE)
_OF_SCORES = (
    metrics.HIT_RATES, metrics.HIT_RATE_BOUNDS, metrics.ERROR_RATIOS, metrics.MEMBER_WEIGHTS,
    metrics.COVERAGE, metrics.SETTLED_DATES,
)  # fmt: skip
_OF_DRIFT = (metrics.DRIFT_DATES, metrics.RETRAINS_ASKED)
_DRIFT_TESTS = ("error", "loss")
_Values = dict[tuple[str, ...], float | None]


class ModelFigures(Collector):
    """Gauges of what serves, and of how good it has been."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Give the names alone."""
        yield from (each.family() for each in (*_OF_SETS, *_OF_SCORES, *_OF_DRIFT))

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give all of them as they are now."""
        board, event = self._parts.scores.get(), self._parts.models.newest
        if event is not None:
            yield from _sets(event, self._parts.models.serving_since_ns, self._parts.clock_ns())
        if board is not None:
            yield from _scores(board.horizons)
            yield from _drift(board.drift)
        if event is not None and board is not None:
            yield metrics.TRAINING_DATA_AGE.family({(): _training_data_age_seconds(event, board)})


def _sets(event: ModelEvent, since_ns: int | None, now_ns: int) -> Iterator[GaugeMetricFamily]:
    roles = {"serving": event.serving, "challenger": event.challenger}
    yield metrics.LOADED_SETS.family({(name, role): 1 for role, name in roles.items() if name is not None})
    if event.serving is not None and since_ns is not None:
        yield metrics.MODEL_AGE.family({(): max(0, now_ns - since_ns) / NS_PER_SECOND})
    yield metrics.MEMBER_TRAINING.family({(member.name,): member.training_seconds for member in event.members})


def _training_data_age_seconds(event: ModelEvent, board: Scoreboard) -> float:
    return max(0, board.through_ns - event.train_end_ns) / NS_PER_SECOND


def _scores(scores: list[HorizonScore]) -> Iterator[GaugeMetricFamily]:
    rates, bounds, errors, weights, coverage, dates = values = tuple(_Values() for _ in _OF_SCORES)
    for score in scores:
        horizon = str(score.horizon)
        rates |= {(horizon, "ensemble"): score.ensemble.hit_rate, (horizon, "usual"): score.usual_hit_rate}
        bounds |= {(horizon, "low"): score.ensemble.hit_rate_low, (horizon, "high"): score.ensemble.hit_rate_high}
        errors[horizon,] = score.error_ratio
        weights |= {(horizon, member): weight for member, weight in score.weights.items()}
        coverage |= {(horizon, "95"): score.coverage_95, (horizon, "99"): score.coverage_99}
        dates[horizon,] = score.settled_dates
    for metric, shown in zip(_OF_SCORES, values, strict=True):
        yield metric.family(shown)


def _drift(drift: Mapping[str, str]) -> Iterator[GaugeMetricFamily]:
    yield metrics.DRIFT_DATES.family({(test,): int(drift.get(f"{test}_dates", 0)) for test in _DRIFT_TESTS})
    yield metrics.RETRAINS_ASKED.family({(): drift.get("retrain") == "asked"})
