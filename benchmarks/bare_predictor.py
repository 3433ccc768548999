"""The same work as the predictor in a plain confluent-kafka loop: decode, predict, send, wait, commit.

It has no group, no order check and no swap of models: it is the bound, not an alternative.
"""

import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from predictor.artifacts import find_model_sets, load_model_set
from predictor.figures import Figures
from predictor.predict import predict
from predictor.publisher import Publisher
from predictor.settings import PredictorSettings
from schemas.codec import decoder
from schemas.events import Features
from schemas.service import run_service, serve_metrics, stop_event_on_signals
from schemas.status import StatusBoard
from schemas.topics import FEATURES


def run(settings: PredictorSettings) -> None:
    """Predict every event of `features` from the beginning until a signal."""
    stop = stop_event_on_signals()
    folder, _ = find_model_sets(settings.models_directory)[0]
    model_set = load_model_set(folder, interval=settings.interval, horizons=settings.horizons)
    consumer = Consumer(settings.kafka_config() | {"group.id": "bare", "enable.auto.commit": False})
    name = settings.topic_prefix + FEATURES.name
    consumer.assign([TopicPartition(name, number, OFFSET_BEGINNING) for number in range(settings.partitions)])
    board = StatusBoard("bare", settings.instance)
    figures, publisher, decode = Figures(board), Publisher(settings), decoder(Features)
    server = serve_metrics(board, settings.metrics_host, settings.metrics_port)
    while not stop.is_set():
        messages = consumer.consume(settings.predictor_batch_records, 0.1)
        if not messages:
            continue
        began = time.perf_counter()
        events = [decode(message.value()) for message in messages]
        predictions = predict(events, model_set, settings.horizons, time.time_ns()).predictions
        for prediction in predictions:
            publisher.send(prediction, None)
        publisher.wait()
        consumer.commit(message=messages[-1], asynchronous=False)
        figures.count_acknowledged(predictions, time.perf_counter() - began)
    server.shutdown()


if __name__ == "__main__":
    run_service("bare predictor", PredictorSettings, run)
