"""The predictor as a process: checks, metrics, status, the worker."""

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource

from predictor.announced import load_announced, load_challenger
from predictor.figures import Figures
from predictor.forecast_desk import ForecastDesk
from predictor.settings import PredictorSettings
from predictor.worker import Worker
from schemas.broker import require_topics
from schemas.errors import RetryError
from schemas.service import collect_seldom, serve_metrics, stop_event_on_signals
from schemas.status import StatusBoard, StatusReporter
from schemas.topics import (
    DEAD_LETTERS,
    FEATURES,
    FORECAST_REQUESTS,
    FORECASTS,
    MODELS,
    PREDICTIONS,
    PREDICTIONS_LATEST,
    SCORES,
    SERVICE_STATUS,
)
from schemas.tracing import Tracer, tracing

SERVICE = "predictor"
_TOPICS = (
    FEATURES,
    MODELS,
    SCORES,
    PREDICTIONS,
    PREDICTIONS_LATEST,
    FORECAST_REQUESTS,
    FORECASTS,
    DEAD_LETTERS,
    SERVICE_STATUS,
)


def run(settings: PredictorSettings) -> None:
    """Predict until SIGTERM or SIGINT.

    Raises:
        BrokerUnreachableError: No broker answers; start again.
        StopAndSayError: A topic is missing or not as it should be.
        RetryError: The broker did not take a prediction, or went away; start again.
    """
    with tracing(settings, SERVICE) as tracer:
        _run(settings, tracer)


def _run(settings: PredictorSettings, tracer: Tracer | None) -> None:
    stop = stop_event_on_signals()
    require_topics(settings, _TOPICS, AdminClient, ConfigResource)
    board = StatusBoard(SERVICE, settings.instance)
    figures = Figures(board)
    worker = Worker(settings, load_announced(settings), board, figures, load_challenger(settings), tracer)
    desk = ForecastDesk(settings, lambda: worker.serving.current, worker.models_known, figures)
    server = serve_metrics(board, settings.metrics_host, settings.metrics_port)
    reporter = StatusReporter(board, worker.publisher.send_status)
    reporter.start()
    desk.start()
    collect_seldom()
    try:
        worker.run(stop.is_set)
    except KafkaException as error:  # nothing is committed that was not said: whoever supervises starts it again
        raise RetryError(f"the broker cannot be read or written: {error.args[0].str()}") from error
    finally:
        desk.stop()
        reporter.stop()
        worker.publisher.close()
        server.shutdown()
