"""The same work as the feature stage in a plain confluent-kafka loop: what Kafka and our arithmetic allow.

It decodes, advances, paces, produces and keeps state in a changelog at the same interval with the same functions.
It has no groups, no recovery and no healing: it is the bound, not an alternative.
"""

import time
from collections import defaultdict
from collections.abc import Iterable

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from benchmarks.feature_stage.workers.counting import TickCount
from benchmarks.feature_stage.workers.events import Event
from benchmarks.feature_stage.workers.fetching import FETCH_CONFIG
from benchmarks.feature_stage.workers.live_partition import RECORD_KEY, LivePartition, rules_of
from feature_stream.outputs import Outputs
from feature_stream.settings import FeatureStreamSettings
from feature_stream.table import partition_key, with_offset
from schemas.codec import new_traceparent
from schemas.events import Bar
from schemas.service import collect_seldom, run_service, stop_event_on_signals
from schemas.topics import TICKER_STATES_CHANGELOG, TICKS

_FLUSH_SECONDS = 60.0
#: More frames would hold back what is due for longer than Tickcast's own slices do.
_BATCH_RECORDS = 128
_POLL_SECONDS = 0.005


class BareStage:
    """All partitions in one process."""

    def __init__(self, settings: FeatureStreamSettings) -> None:
        self._outputs = Outputs(settings)
        self._count = TickCount(settings)
        rules = rules_of(settings)
        self._live = {
            number: LivePartition(number, rules, settings.update_interval_ms, {})
            for number in range(settings.partitions)
        }

    def take(self, records: dict[int, list[tuple[int, bytes]]]) -> None:
        """Absorb a micro-batch by partition, and say what is due."""
        for partition, batch in records.items():
            live = self._live[partition]
            self._send(live.take(batch))
        for live in self._live.values():
            self._send(live.due())
        self._count.ticks = sum(live.ticks_total for live in self._live.values())
        self._outputs.poll()

    def checkpoint(self) -> None:
        """Send the changed states and the partitions' records to the changelog, and wait for them."""
        for partition, live in self._live.items():
            for ticker, offset, snapshot in live.changed():
                key = partition_key(partition) if ticker == RECORD_KEY else ticker.encode()
                self._outputs.send(TICKER_STATES_CHANGELOG, key, with_offset(offset, snapshot), partition=partition)
        self._outputs.flush(_FLUSH_SECONDS)

    def _send(self, events: Iterable[Event]) -> None:
        for event in events:
            if isinstance(event, Bar):
                self._outputs.send_bar(event, new_traceparent())
            else:
                self._outputs.send_features(event, new_traceparent())


def run(settings: FeatureStreamSettings) -> None:
    """Read `ticks` from the beginning until a signal."""
    collect_seldom()
    stop = stop_event_on_signals()
    group = {"group.id": "bare", "enable.auto.commit": False}
    consumer = Consumer(settings.kafka_config() | FETCH_CONFIG | group)
    name = settings.topic_prefix + TICKS.name
    consumer.assign([TopicPartition(name, number, OFFSET_BEGINNING) for number in range(settings.partitions)])
    stage = BareStage(settings)
    checkpoint_at = time.monotonic()
    while not stop.is_set():
        records: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
        for message in consumer.consume(_BATCH_RECORDS, _POLL_SECONDS):
            if message.error() is None:
                records[message.partition()].append((message.offset(), message.value()))
        stage.take(records)
        if time.monotonic() - checkpoint_at >= settings.checkpoint_interval_ms / 1_000:
            stage.checkpoint()
            checkpoint_at = time.monotonic()
    consumer.close()


if __name__ == "__main__":
    run_service("bare stage", FeatureStreamSettings, run)
