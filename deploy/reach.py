"""Ask a broker whether it is there."""

from collections.abc import Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from schemas.errors import StopAndSayError

#: librdkafka prints every refused connection; while something starts, that says nothing.
_QUIET = {"log_level": 0, "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 100}


@dataclass(frozen=True)
class Answer:
    """What a broker says of itself."""

    cluster_id: str | None
    brokers: int


class Asker:
    """Asks one address, again and again where it must."""

    def __init__(self, config: Mapping[str, str]) -> None:
        self._client = AdminClient({**config, **_QUIET})

    def ask(self, seconds: float) -> Answer | None:
        """Give the answer; None where there is none in time."""
        try:
            found = self._client.list_topics(timeout=seconds)
        except KafkaException:
            return None
        return Answer(found.cluster_id, len(found.brokers)) if found.brokers else None


def require_answer(config: Mapping[str, str], *, seconds: float = 10.0) -> Answer:
    """Ask a cluster that should be there.

    Raises:
        StopAndSayError: It does not answer in time.
    """
    answer = Asker(config).ask(seconds)
    if answer is None:
        raise StopAndSayError(
            f"no Kafka broker answers at {config['bootstrap.servers']} within {seconds:g} s: "
            "start it, correct the address, or choose --broker auto"
        )
    return answer
