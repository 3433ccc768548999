"""A Kafka sink for Bytewax that waits for the broker once an epoch; its own waits after every batch.

It keeps the promise of its own, at least once: an epoch is complete only when its sinks have given their snapshots.
"""

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition
from confluent_kafka import KafkaError, Message, Producer

from benchmarks.feature_stage.workers.bytewax_run import EventMessage
from feature_stream.settings import FeatureStreamSettings

_FLUSH_SECONDS = 60.0
_WAIT_SECONDS = 0.05


class _Part(StatefulSinkPartition[EventMessage, None]):
    def __init__(self, config: dict[str, str]) -> None:
        self._error: KafkaError | None = None
        self._producer = Producer(config | {"partitioner": "murmur2_random"})

    def write_batch(self, values: list[EventMessage]) -> None:
        for message in values:
            self._produce(message)
        self._producer.poll(0)

    def snapshot(self) -> None:
        left = self._producer.flush(_FLUSH_SECONDS)
        if left or self._error is not None:
            raise RuntimeError(f"{left} records were not taken: {self._error}")

    def close(self) -> None:
        self._producer.flush(_FLUSH_SECONDS)

    def _produce(self, message: EventMessage) -> None:
        while True:
            try:
                self._producer.produce(
                    message.topic, message.value, message.key, headers=message.headers, on_delivery=self._on_delivery
                )
                return
            except BufferError:
                self._producer.poll(_WAIT_SECONDS)

    def _on_delivery(self, error: KafkaError | None, _message: Message) -> None:
        self._error = error or self._error


class EpochSink(FixedPartitionedSink[EventMessage, None]):
    """Takes a keyed stream of messages; each has its own topic."""

    def __init__(self, settings: FeatureStreamSettings) -> None:
        self._config = settings.kafka_config()

    def list_parts(self) -> list[str]:
        """Give the one producer."""
        return ["producer"]

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> _Part:  # noqa: ARG002 - Bytewax names them
        """Make it."""
        return _Part(self._config)
