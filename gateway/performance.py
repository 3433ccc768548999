"""How fast it is, in documents for people; Prometheus has `/metrics`."""

from typing import Any

from msgspec import Struct

from gateway.answer_times import RouteTimes, route_times
from gateway.figures import Times, times_of
from gateway.parts import Parts
from gateway.presentation import time_text
from schemas.events import ModelEvent, ServiceState
from schemas.public import Integer, Time
from schemas.status import resident_bytes
from schemas.times import NS_PER_MILLISECOND, NS_PER_SECOND

_QUICK_NS = 100 * NS_PER_MILLISECOND
_WELL = {ServiceState.READY, ServiceState.ENDED}


class Memory(Struct, frozen=True, kw_only=True):
    """Of the gateway's process; the average is of looks every few seconds."""

    current_bytes: Integer
    average_bytes: Integer


class CacheFigures(Struct, frozen=True, kw_only=True):
    """Answers that were there (hits), and those that were not (misses)."""

    hits: Integer
    misses: Integer
    hit_rate: float | None


class AnswersFromMemory(CacheFigures, frozen=True, kw_only=True):
    """Predictions answered with bytes that were ready (hits), and with bytes made for the request (misses).

    Attributes:
        database: The same by path of what the database is asked for otherwise; `*`, all together, comes first.
    """

    database: dict[str, CacheFigures]


class PredictionTimes(Times, frozen=True, kw_only=True):
    """From feature event to prediction, of the newest predictions."""

    share_under_100_ms: float | None


class ServiceFigures(Struct, frozen=True, kw_only=True):
    """What one instance of a service reports."""

    service: str
    instance: str
    memory_bytes: Integer
    rates: dict[str, float]
    latency_seconds: dict[str, float]


class PerformanceMetrics(Struct, frozen=True, kw_only=True):
    """All figures since the start; `paths` begins with `*`, all together. Stages are of the newest predictions, but for
    `gateway_to_client`: of the newest turns of writing, until all WebSockets that keep up have what waited for them.

    Attributes:
        worker: Which one answers and has these figures, where several share the port; null where it is alone.
    """

    worker: Integer | None
    since: Time
    uptime_seconds: float
    paths: list[RouteTimes]
    memory: Memory
    cache: AnswersFromMemory
    predictions: PredictionTimes
    stages: dict[str, Times]
    services: list[ServiceFigures]


class PerformanceSummary(Struct, frozen=True, kw_only=True):
    """The figures that say most.

    Attributes:
        worker: Which one answers and has these figures, where several share the port; null where it is alone.
    """

    worker: Integer | None
    uptime_seconds: float
    requests: Integer
    requests_per_second: float
    average_seconds: float
    p95_seconds: float
    error_rate: float
    memory_bytes: Integer
    cache_hit_rate: float | None
    predictions_under_100_ms: float | None
    tick_to_gateway_p50_seconds: float | None
    tick_to_gateway_p99_seconds: float | None
    tickers: Integer
    websocket_clients: Integer


class TrainedModel(Struct, frozen=True, kw_only=True):
    """A member of the set that serves."""

    name: str
    version: str
    training_seconds: float


class Warmup(Struct, frozen=True, kw_only=True):
    """How far the start has got.

    Attributes:
        worker: Which one answers, of several that share the port; null where it is alone.
        seconds: From the start to the view being caught up; null until then.
        models_loaded: That answered the newest prediction.
        models_trained: Of the set that serves.
        errors: Services that are not well, with what they say.
    """

    worker: Integer | None
    ready: bool
    started_at: Time
    caught_up_at: Time | None
    seconds: float | None
    tickers: Integer
    models_loaded: list[str]
    models_trained: list[TrainedModel]
    errors: list[str]


def _started_ns(parts: Parts) -> int:
    return parts.board.event().started_at_ns


def _cache(parts: Parts) -> AnswersFromMemory:
    hits, misses = parts.instruments.answers_from_memory()
    by_path = parts.instruments.database_answers()
    together = sum(found for found, _ in by_path.values()), sum(missed for _, missed in by_path.values())
    return AnswersFromMemory(
        hits=hits,
        misses=misses,
        hit_rate=_rate(hits, misses),
        database={
            path: CacheFigures(hits=found, misses=missed, hit_rate=_rate(found, missed))
            for path, (found, missed) in {"*": together, **by_path}.items()
        },
    )


def _rate(hits: int, misses: int) -> float | None:
    return hits / (hits + misses) if hits + misses else None


def _prediction_times(parts: Parts) -> PredictionTimes:
    taken_ns = parts.stage_times.predicting_ns()
    times = times_of(taken_ns)
    return PredictionTimes(
        count=times.count,
        average_seconds=times.average_seconds,
        p50_seconds=times.p50_seconds,
        p95_seconds=times.p95_seconds,
        p99_seconds=times.p99_seconds,
        share_under_100_ms=sum(one < _QUICK_NS for one in taken_ns) / len(taken_ns) if taken_ns else None,
    )


def service_figures(services: dict[str, Any]) -> list[ServiceFigures]:
    """Give what each instance reports, of the document of all services."""
    return [
        ServiceFigures(
            service=service,
            instance=instance["instance"],
            memory_bytes=instance["memory_bytes"],
            rates=instance["rates"],
            latency_seconds=instance["latency_seconds"],
        )
        for service, document in services.items()
        for instance in document["instances"]
    ]


def performance_metrics(parts: Parts) -> PerformanceMetrics:
    """Give all figures."""
    started_ns = _started_ns(parts)
    return PerformanceMetrics(
        worker=parts.team.number,
        since=time_text(started_ns),
        uptime_seconds=max(0, parts.clock_ns() - started_ns) / NS_PER_SECOND,
        paths=route_times(parts.instruments.http_seconds),
        memory=Memory(current_bytes=resident_bytes(), average_bytes=parts.memory.average_bytes),
        cache=_cache(parts),
        predictions=_prediction_times(parts),
        stages=parts.stage_times.stages() | {"gateway_to_client": times_of(parts.rounds.took_ns)},
        services=service_figures(parts.services.document(parts.clock_ns())),
    )


def performance_summary(parts: Parts) -> PerformanceSummary:
    """Give the figures that say most."""
    return summary_of(performance_metrics(parts), len(parts.latest), len(parts.hub))


def summary_of(figures: PerformanceMetrics, tickers: int, websocket_clients: int) -> PerformanceSummary:
    """Give those of all figures that say most."""
    together, way = figures.paths[0], figures.stages["tick_to_gateway"]
    return PerformanceSummary(
        worker=figures.worker,
        uptime_seconds=figures.uptime_seconds,
        requests=together.count,
        requests_per_second=together.count / max(1.0, figures.uptime_seconds),
        average_seconds=together.average_seconds,
        p95_seconds=together.p95_seconds,
        error_rate=together.error_rate,
        memory_bytes=figures.memory.current_bytes,
        cache_hit_rate=figures.cache.hit_rate,
        predictions_under_100_ms=figures.predictions.share_under_100_ms,
        tick_to_gateway_p50_seconds=way.p50_seconds,
        tick_to_gateway_p99_seconds=way.p99_seconds,
        tickers=tickers,
        websocket_clients=websocket_clients,
    )


def warmup(parts: Parts) -> Warmup:
    """Give how far the start has got."""
    started_ns, caught_up_ns = _started_ns(parts), parts.condition.caught_up_at_ns
    event = parts.models.newest
    return Warmup(
        worker=parts.team.number,
        ready=parts.latest.caught_up,
        started_at=time_text(started_ns),
        caught_up_at=None if caught_up_ns is None else time_text(caught_up_ns),
        seconds=None if caught_up_ns is None else max(0, caught_up_ns - started_ns) / NS_PER_SECOND,
        tickers=len(parts.latest),
        models_loaded=_models_loaded(parts),
        models_trained=[] if event is None or event.serving is None else trained_models(event),
        errors=[
            f"{service}: {document['message'] or document['state']}"
            for service, document in parts.services.document(parts.clock_ns()).items()
            if document["state"] not in _WELL
        ],
    )


def trained_models(event: ModelEvent) -> list[TrainedModel]:
    """Give the members of a set that serves."""
    return [
        TrainedModel(name=one.name, version=one.version, training_seconds=one.training_seconds) for one in event.members
    ]


def _models_loaded(parts: Parts) -> list[str]:
    newest = max(parts.latest.entries(), key=lambda entry: entry.seq or 0, default=None)
    return [] if newest is None else [member.name for member in newest.form.models]
