"""How the ingestor's producer is set up."""

from typing import Any

from schemas.logs import client_logger
from schemas.settings import Settings

_BUFFER_MESSAGES = 20_000
_BUFFER_KIBIBYTES = 65_536


def producer_config(settings: Settings) -> dict[str, Any]:
    """Give the producer's configuration: idempotent, gapless, patient without end, without a linger of its own."""
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
        "logger": client_logger(),
    }
