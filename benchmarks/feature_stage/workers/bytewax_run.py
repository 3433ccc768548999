"""What both of Bytewax's contestants share: source, sink, recovery store, and how a flow is run."""

from collections.abc import Iterable
from datetime import timedelta

from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from benchmarks.feature_stage.workers.events import Event, headers_of, topic_of
from feature_stream.settings import FeatureStreamSettings
from schemas.codec import encode
from schemas.topics import TICKS

EventMessage = KafkaSinkMessage[bytes, bytes]


def ticks_source(settings: FeatureStreamSettings, batch_size: int, config: dict[str, str] | None = None) -> KafkaSource:
    """Read `ticks` from where the recovery store says, at first from the beginning."""
    topic = settings.topic_prefix + TICKS.name
    return KafkaSource([settings.kafka_bootstrap_servers], [topic], add_config=config, batch_size=batch_size)


def events_sink(settings: FeatureStreamSettings) -> KafkaSink:
    """Write each message to its own topic, to the partition of its ticker."""
    return KafkaSink([settings.kafka_bootstrap_servers], None, add_config={"partitioner": "murmur2_random"})


def message_of(event: Event, prefix: str) -> EventMessage:
    """Give an event as the sink takes it."""
    return KafkaSinkMessage(
        event.ticker.encode(), encode(event), topic=prefix + topic_of(event).name, headers=headers_of(event)
    )


def messages_of(events: Iterable[Event], prefix: str) -> list[EventMessage]:
    """Give events as the sink takes them."""
    return [message_of(event, prefix) for event in events]


def run_flow(flow: Dataflow, settings: FeatureStreamSettings) -> None:
    """Run a flow as `python -m bytewax.run -r … -s …` does, until a signal."""
    store = settings.data_directory
    if not store.exists():
        store.mkdir(parents=True)
        init_db_dir(store, settings.partitions)
    cli_main(
        flow,
        epoch_interval=timedelta(milliseconds=settings.checkpoint_interval_ms),
        recovery_config=RecoveryConfig(store),
    )
