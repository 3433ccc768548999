"""Examples of how the system says it is, for the OpenAPI document."""

from typing import Any

import msgspec
from msgspec import structs

from gateway.answer_times import RouteTimes
from gateway.figures import StageTimes
from gateway.model_wishes import POOLED
from gateway.performance import (
    AnswersFromMemory,
    CacheFigures,
    Memory,
    PerformanceMetrics,
    PredictionTimes,
    Warmup,
    service_figures,
    summary_of,
    trained_models,
)
from gateway.presentation import time_text
from gateway.system import ServicesView, models_document
from schemas import VERSION
from schemas.asyncapi_messages import read_example
from schemas.events import ModelEvent, Prediction, ServiceState, ServiceStatus
from schemas.public import PublicPrediction
from schemas.times import NS_PER_MILLISECOND, NS_PER_SECOND

_TICKERS, _CLIENTS = 13, 4


def examples_of_system(prediction: PublicPrediction, event: ModelEvent) -> dict[str, Any]:
    """Give an example of each shape by its name; the prediction is that of the contract's example."""
    status = msgspec.convert(read_example("ServiceStatus"), ServiceStatus)
    services, models = _services(status), _models(event)
    metrics = _metrics(services, time_text(status.started_at_ns))
    return {
        "AliveDocument": {"status": "alive"},
        "ReadyDocument": {"status": "ready"},
        "HealthDocument": _health(services, time_text(status.updated_at_ns)),
        "ModelsDocument": models,
        "TickerModelsDocument": _of_ticker(prediction) | models,
        "PerformanceMetrics": metrics,
        "PerformanceSummary": summary_of(metrics, _TICKERS, _CLIENTS),
        "Warmup": _warmup(event, status.started_at_ns),
    }


def _services(status: ServiceStatus) -> dict[str, Any]:
    services = ServicesView()
    services.accept(status, status.updated_at_ns)
    return services.document(status.updated_at_ns)


def _health(services: dict[str, Any], timestamp: str) -> dict[str, Any]:
    return {
        "status": "healthy",
        "version": VERSION,
        "state": ServiceState.READY,
        "message": "",
        "tickers": _TICKERS,
        "websocket_clients": _CLIENTS,
        "timestamp": timestamp,
        "services": services,
        "redis": None,
    }


def _warmup(event: ModelEvent, started_ns: int) -> Warmup:
    return Warmup(
        worker=None,
        ready=True,
        started_at=time_text(started_ns),
        caught_up_at=time_text(started_ns + 4 * NS_PER_SECOND),
        seconds=4.0,
        tickers=_TICKERS,
        models_loaded=[member.name for member in event.members],
        models_trained=trained_models(event),
        errors=[],
    )


def _models(event: ModelEvent) -> dict[str, Any]:
    state = {
        "loaded": True,
        "ready": True,
        "predictor": "ready",
        "versions": {member.name: member.version for member in event.members},
        "age_seconds": 3_600.0,
        "retrain_recommended": False,
        "retrain_reasons": [],
    }
    return state | models_document(event)


def _of_ticker(prediction: PublicPrediction) -> dict[str, Any]:
    return {
        "ticker": prediction.ticker,
        "note": POOLED,
        "answered_by": prediction.model_set,
        "degraded": prediction.degraded,
        "in_training": True,
        "weights_version": prediction.weights_version,
        "intervals_version": prediction.intervals_version,
        "weights": {"forest": 0.4, "lstm": 0.6},
        "updated_at": prediction.updated_at,
    }


def _metrics(services: dict[str, Any], since: str) -> PerformanceMetrics:
    stages, prediction = StageTimes(), msgspec.convert(read_example("Prediction"), Prediction)
    stages.note(prediction, prediction.predicted_at_ns + NS_PER_MILLISECOND)
    times = stages.stages()
    together = RouteTimes(
        path="*", count=5_231, average_seconds=0.0021, p95_seconds=0.0048, error_rate=0.0, refusal_rate=0.01
    )
    asked = {"*": CacheFigures(hits=40, misses=10, hit_rate=0.8)}
    return PerformanceMetrics(
        worker=None,
        since=since,
        uptime_seconds=225.5,
        paths=[together, structs.replace(together, path="/predict/{ticker}", count=5_000)],
        memory=Memory(current_bytes=128_000_000, average_bytes=127_000_000),
        cache=AnswersFromMemory(hits=4_900, misses=100, hit_rate=0.98, database=asked),
        predictions=PredictionTimes(**structs.asdict(times["feature_to_prediction"]), share_under_100_ms=1.0),
        stages=times,
        services=service_figures(services),
    )
