"""Ask a broker whether it is there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from schemas.broker import first_answer
from schemas.errors import StopAndSayError
from schemas.refusal import Refusal

#: librdkafka prints every refused connection; while something starts, that says nothing.
_QUIET = {"log_level": 0, "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 100}


def quiet_admin(config: Mapping[str, str], refusal: Refusal | None = None) -> AdminClient:
    """Make an admin client that prints nothing; a refusal hears why its brokers do not let it in.

    Raises:
        StopAndSayError: It cannot be made with these settings, like a certificate file that is not there.
    """
    try:
        return AdminClient({**config, **_QUIET, **({"error_cb": refusal} if refusal else {})})
    except KafkaException as error:
        raise StopAndSayError(f"wrong settings TICKCAST_KAFKA_*: {error.args[0].str()}") from error


@dataclass(frozen=True)
class Answer:
    """What a broker says of itself."""

    cluster_id: str | None
    brokers: int


class Asker:
    """Asks one address, again and again where it must."""

    def __init__(self, config: Mapping[str, str]) -> None:
        self._config = config
        self._refusal = Refusal(config)
        self._client = quiet_admin(config, self._refusal)

    def ask(self, seconds: float) -> Answer | None:
        """Give the answer; None where there is none in time.

        Raises:
            StopAndSayError: The broker does not let us in.
        """
        try:
            found = first_answer(self._client, self._refusal, seconds=seconds)
        except KafkaException:
            return None
        return Answer(found.cluster_id, len(found.brokers)) if found.brokers else None

    def why_not(self) -> str:
        """Say why there was no answer."""
        return self._refusal.explain("it is silent")

    def serves_all(self, seconds: float) -> bool:
        """Tell whether every partition that it has answers."""
        try:
            found = self._client.list_topics(timeout=seconds)
        except KafkaException:
            return False
        partitions = [
            TopicPartition(name, number) for name, topic in found.topics.items() for number in topic.partitions
        ]
        return all_answer(self._config, partitions, seconds)


def all_answer(config: Mapping[str, str], partitions: Sequence[TopicPartition], seconds: float) -> bool:
    """Tell whether every partition answers: brokers announce a leader a moment before it leads, and clients that ask
    for offsets in that moment are refused."""
    if not partitions:
        return True
    # A client of its own each time: librdkafka remembers for good that a topic it looked up too early has no leader.
    client = quiet_admin(config)
    asked = client.list_offsets({partition: OffsetSpec.latest() for partition in partitions}, request_timeout=seconds)
    return all(future.exception() is None for future in asked.values())


def require_answer(config: Mapping[str, str], *, seconds: float = 10.0) -> Answer:
    """Ask a cluster that should be there.

    Raises:
        StopAndSayError: It does not answer in time, or does not let us in.
    """
    asker = Asker(config)
    answer = asker.ask(seconds)
    if answer is None:
        raise StopAndSayError(
            f"no Kafka broker answers at {config['bootstrap.servers']} within {seconds:g} s: {asker.why_not()}: "
            "start it, correct the address, or choose --broker local"
        )
    return answer
