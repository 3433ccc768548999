"""Whether a trainer runs, by what it says of itself."""

import time
from collections.abc import Iterator

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from predictor.training.service.past import TRAINER
from predictor.training.settings import TrainingSettings
from schemas.codec import UndecodableError, decoder
from schemas.consumers import groupless_config
from schemas.events import ServiceState, ServiceStatus
from schemas.times import NS_PER_SECOND
from schemas.topics import SERVICE_STATUS

#: A service reports every five seconds.
FRESH_SECONDS = 15.0
_ANSWER_SECONDS = 3.0
_READ_WITHIN_SECONDS = 15.0
#: Of each partition of `service-status`: minutes of many services.
_RECORDS_READ = 2_000

_decode = decoder(ServiceStatus)


def trainer_runs(settings: TrainingSettings) -> bool:
    """Tell whether a trainer has said lately that it runs; where no broker answers, none does."""
    silent = {"log_level": 0}  # where no broker answers, there is an answer all the same
    consumer = Consumer(groupless_config(settings, "presence") | silent)
    try:
        newest = {status.instance: status for status in _statuses(consumer, settings)}
    except KafkaException:
        return False
    finally:
        consumer.close()
    return any(_is_fresh(status) for status in newest.values())


def _is_fresh(status: ServiceStatus) -> bool:
    age_seconds = (time.time_ns() - status.updated_at_ns) / NS_PER_SECOND
    return age_seconds < FRESH_SECONDS and status.state is not ServiceState.STOPPING


def _trainer_status(message: Message) -> ServiceStatus | None:
    """Read what a trainer said of itself; None where it is another's, or cannot be read."""
    if not (message.key() or b"").startswith(f"{TRAINER}/".encode()):
        return None
    try:
        return _decode(message.value())
    except UndecodableError:
        return None


def _partitions_of(consumer: Consumer, name: str) -> list[TopicPartition]:
    """Give the partitions of a topic; none where it is not there."""
    found = consumer.list_topics(name, timeout=_ANSWER_SECONDS).topics[name]
    return [] if found.error is not None else [TopicPartition(name, number) for number in sorted(found.partitions)]


def _statuses(consumer: Consumer, settings: TrainingSettings) -> Iterator[ServiceStatus]:
    """Give what trainers said of themselves, in the order of each partition."""
    for partition in _partitions_of(consumer, settings.topic_prefix + SERVICE_STATUS.name):
        first, end = consumer.get_watermark_offsets(partition, timeout=_ANSWER_SECONDS)
        partition.offset = max(first, end - _RECORDS_READ)
        consumer.assign([partition])
        deadline = time.monotonic() + _READ_WITHIN_SECONDS
        while first < end and time.monotonic() < deadline:
            for message in consumer.consume(_RECORDS_READ, timeout=0.1):
                if message.error() is None and (status := _trainer_status(message)) is not None:
                    yield status
            first = max([first, *(place.offset for place in consumer.position([partition]))])
