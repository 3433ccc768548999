"""What the board and the newest decision say of the models at the moment of a scrape."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.parts import Parts
from schemas import metrics
from schemas.events import HorizonScore, ModelEvent, Scoreboard
from schemas.times import NS_PER_SECOND

_OF_SETS = (metrics.LOADED_SETS, metrics.MODEL_AGE, metrics.MEMBER_TRAINING, metrics.TRAINING_DATA_AGE)
_OF_SCORES = (metrics.HIT_RATES, metrics.HIT_RATE_BOUNDS, metrics.ERROR_RATIOS, metrics.MEMBER_WEIGHTS)


class ModelFigures(Collector):
    """Gauges of what serves, and of how good it has been."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Give the names alone."""
        yield from (each.family() for each in (*_OF_SETS, *_OF_SCORES))

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Give all of them as they are now."""
        board, event = self._parts.scores.get(), self._parts.models.newest
        if event is not None:
            yield from _sets(event, self._parts.clock_ns())
        if board is not None:
            yield from _scores(board.horizons)
        if event is not None and board is not None:
            yield _gauge(metrics.TRAINING_DATA_AGE, {(): _training_data_age_seconds(event, board)})


def _sets(event: ModelEvent, now_ns: int) -> Iterator[GaugeMetricFamily]:
    roles = {"serving": event.serving, "challenger": event.challenger}
    yield _gauge(metrics.LOADED_SETS, {(name, role): 1 for role, name in roles.items() if name is not None})
    yield _gauge(metrics.MODEL_AGE, {(): max(0, now_ns - event.decided_at_ns) / NS_PER_SECOND})
    yield _gauge(metrics.MEMBER_TRAINING, {(member.name,): member.training_seconds for member in event.members})


def _training_data_age_seconds(event: ModelEvent, board: Scoreboard) -> float:
    return max(0, board.through_ns - event.train_end_ns) / NS_PER_SECOND


def _scores(scores: list[HorizonScore]) -> Iterator[GaugeMetricFamily]:
    rates: dict[tuple[str, ...], float | None] = {}
    bounds: dict[tuple[str, ...], float | None] = {}
    errors: dict[tuple[str, ...], float | None] = {}
    weights: dict[tuple[str, ...], float | None] = {}
    for score in scores:
        horizon = str(score.horizon)
        rates |= {(horizon, "ensemble"): score.ensemble.hit_rate, (horizon, "usual"): score.usual_hit_rate}
        bounds |= {(horizon, "low"): score.ensemble.hit_rate_low, (horizon, "high"): score.ensemble.hit_rate_high}
        errors[horizon,] = score.error_ratio
        weights |= {(horizon, member): weight for member, weight in score.weights.items()}
    for metric, values in zip(_OF_SCORES, (rates, bounds, errors, weights), strict=True):
        yield _gauge(metric, values)


def _gauge(metric: metrics.Metric, values: dict[tuple[str, ...], float | None]) -> GaugeMetricFamily:
    """Give a gauge with what is known of it."""
    family = metric.family()
    for labels, value in values.items():
        if value is not None:
            family.add_metric(labels, value)
    return family
