"""The same work as the feature stage in a plain confluent-kafka loop: what Kafka and our arithmetic allow.

It decodes, advances, paces, produces and keeps state in a changelog at the same interval with the same functions.
It has no groups, no recovery and no healing: it is the bound, not an alternative.
"""

import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from feature_stream.advance import StageRules, absorb, provisional
from feature_stream.figures import StageFigures
from feature_stream.frames import read_frame
from feature_stream.outputs import Outputs
from feature_stream.pacing import Pacer
from feature_stream.settings import FeatureStreamSettings
from feature_stream.state import PartitionState, TickerState
from feature_stream.table import partition_key, with_offset
from schemas.codec import new_traceparent
from schemas.service import run_service, serve_metrics, stop_event_on_signals
from schemas.status import StatusBoard
from schemas.topics import TICKER_STATES_CHANGELOG, TICKS


class BareStage:
    """All partitions in one process."""

    def __init__(self, settings: FeatureStreamSettings) -> None:
        self._outputs = Outputs(settings)
        self._rules = StageRules(interval=settings.interval, partitions=settings.partitions)
        self._pacer = Pacer(settings.update_interval_ms / 1_000)
        self._figures = StageFigures()
        self._records = {number: PartitionState(number) for number in range(settings.partitions)}
        self._states: dict[int, dict[str, TickerState]] = {number: {} for number in range(settings.partitions)}
        self._homes: dict[str, int] = {}
        self._dirty: set[str] = set()

    def take(self, partition: int, offset: int, value: bytes, touched: dict[str, str]) -> None:
        """Absorb one record."""
        frame = read_frame(value)
        out = absorb(self._records[partition], self._states[partition], frame, offset, self._rules, time.time_ns())
        traceparent = new_traceparent()
        for bar in out.bars:
            self._outputs.send_bar(bar, traceparent)
        for features in out.features:
            self._outputs.send_features(features, traceparent)
        self._dirty |= out.dirty
        self._homes.update(dict.fromkeys(out.touched, partition))
        touched.update(dict.fromkeys(out.touched, traceparent))
        self._figures.absorbed(out, frame.ingested_at_ns)

    def speak(self, touched: dict[str, str]) -> None:
        """Send the provisional features that are due."""
        now = time.monotonic()
        due = {ticker: traceparent for ticker, traceparent in touched.items() if self._pacer.touch(ticker, now)}
        due |= dict.fromkeys(self._pacer.due(now), new_traceparent())
        for ticker, traceparent in due.items():
            partition = self._homes[ticker]
            features = provisional(self._states[partition][ticker], partition, self._rules, time.time_ns())
            if features is not None:
                self._outputs.send_features(features, traceparent)
                self._figures.spoke(features)
        self._outputs.poll()

    def checkpoint(self) -> None:
        """Send the dirty states and the partitions' records to the changelog, and wait for them."""
        for ticker in self._dirty:
            partition = self._homes[ticker]
            state = self._states[partition][ticker]
            self._keep(ticker.encode(), with_offset(state.offset, state.snapshot()), partition)
        for partition, record in self._records.items():
            self._keep(partition_key(partition), with_offset(record.offset, record.snapshot()), partition)
        self._outputs.flush(60)
        self._dirty.clear()

    def _keep(self, key: bytes, value: bytes, partition: int) -> None:
        self._outputs.send(TICKER_STATES_CHANGELOG, key, value, partition=partition)


def run(settings: FeatureStreamSettings) -> None:
    """Read `ticks` from the beginning until a signal."""
    stop = stop_event_on_signals()
    consumer = Consumer(settings.kafka_config() | {"group.id": "bare", "enable.auto.commit": False})
    name = settings.topic_prefix + TICKS.name
    consumer.assign([TopicPartition(name, number, OFFSET_BEGINNING) for number in range(settings.partitions)])
    stage = BareStage(settings)
    server = serve_metrics(StatusBoard("bare", settings.instance), settings.metrics_host, settings.metrics_port)
    checkpoint_at = time.monotonic()
    while not stop.is_set():
        touched: dict[str, str] = {}
        for message in consumer.consume(settings.micro_batch_records, settings.micro_batch_ms / 1_000):
            stage.take(message.partition(), message.offset(), message.value(), touched)
        stage.speak(touched)
        if time.monotonic() - checkpoint_at >= settings.checkpoint_interval_ms / 1_000:
            stage.checkpoint()
            checkpoint_at = time.monotonic()
    server.shutdown()


if __name__ == "__main__":
    run_service("bare stage", FeatureStreamSettings, run)
