"""The recorder's own records: its status, and what it could not understand."""

import logging
from collections.abc import Iterable

from confluent_kafka import KafkaError, Message, Producer

from gateway.recorder.settings import RecorderSettings
from schemas.dead_letters import DeadLetter
from schemas.errors import RetryError
from schemas.logs import client_logger
from schemas.topics import DEAD_LETTERS, SERVICE_STATUS

_log = logging.getLogger(__name__)
_DELIVER_WITHIN_SECONDS = 30.0


class Teller:
    """The producer of the recorder."""

    def __init__(self, settings: RecorderSettings) -> None:
        self._prefix = settings.topic_prefix
        self._error: KafkaError | None = None
        self._producer = Producer(
            settings.kafka_config()
            | {
                "client.id": f"recorder/{settings.instance}",
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "delivery.timeout.ms": int(_DELIVER_WITHIN_SECONDS * 1_000),
                "logger": client_logger(),
            }
        )

    def send_status(self, key: bytes, value: bytes) -> None:
        """Send the status, from any thread; nobody waits for it, and a lost one does no harm."""
        self._producer.produce(self._prefix + SERVICE_STATUS.name, key=key, value=value)
        self._producer.poll(0)

    def keep(self, letters: Iterable[DeadLetter]) -> int:
        """Send dead letters, wait until the broker has them, and give how many they were.

        Raises:
            RetryError: It did not take one; nothing that came with it may count as recorded.
        """
        sent, self._error = 0, None
        for letter in letters:
            _log.warning("dead letter %s: %s", letter.id, letter.reason)
            self._producer.produce(
                self._prefix + DEAD_LETTERS.name,
                key=letter.key,
                value=letter.value,
                headers=letter.headers(),
                on_delivery=self._on_delivery,
            )
            sent += 1
        if sent and (self._producer.flush(_DELIVER_WITHIN_SECONDS + 5) or self._error is not None):
            raise RetryError(f"the broker did not take a dead letter: {self._error or 'no answer'}")
        return sent

    def close(self) -> None:
        """Let the last status go out."""
        self._producer.flush(2)

    def _on_delivery(self, error: KafkaError | None, _message: Message) -> None:
        self._error = self._error or error
