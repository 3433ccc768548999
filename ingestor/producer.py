"""How the ingestor's producer is set up."""

import logging
import re
from typing import Any

from schemas.settings import Settings

_BUFFER_MESSAGES = 20_000
_BUFFER_KIBIBYTES = 65_536
#: librdkafka repeats itself twice a second while the broker is away, with the age of the connection at the end.
_AGE = re.compile(r" \(after \d+ms.*")
_SAY_AGAIN_SECONDS = 30.0
_DIFFERENT_WORDS = 100


class _FewWords(logging.Filter):
    """Passes over what librdkafka says again and again, and its word on `enable.gapless.guarantee`, which we want."""

    def __init__(self) -> None:
        super().__init__()
        self._said_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        text = _AGE.sub("", record.getMessage())
        again = record.created - self._said_at.get(text, 0.0) < _SAY_AGAIN_SECONDS
        if again or "enable.gapless.guarantee" in text:
            return False
        if len(self._said_at) >= _DIFFERENT_WORDS:
            self._said_at.clear()
        self._said_at[text] = record.created
        return True


def producer_config(settings: Settings) -> dict[str, Any]:
    """Give the producer's configuration: idempotent, gapless, patient without end, without a linger of its own."""
    logger = logging.getLogger("librdkafka")
    if not logger.filters:
        logger.addFilter(_FewWords())
    return {
        **settings.kafka_config(),
        "client.id": "tickcast-ingestor",
        "acks": "all",
        "enable.idempotence": True,
        "enable.gapless.guarantee": True,
        "message.timeout.ms": 0,
        "partitioner": "murmur2_random",
        "linger.ms": 0,
        "queue.buffering.max.messages": _BUFFER_MESSAGES,
        "queue.buffering.max.kbytes": _BUFFER_KIBIBYTES,
        "logger": logger,
    }
