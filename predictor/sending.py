"""The producer of all that belongs to models."""

from confluent_kafka import Producer

from predictor.settings import PredictorSettings
from schemas.producers import DELIVER_WITHIN_SECONDS, producer_config


def make_producer(
    settings: PredictorSettings, client_id: str, deliver_within_seconds: float = DELIVER_WITHIN_SECONDS
) -> Producer:
    """Make a producer whose records are on all replicas when they are acknowledged, each once and in order."""
    return Producer(producer_config(settings, client_id, deliver_within_seconds))
