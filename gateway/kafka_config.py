"""The gateway's clients of the broker, in the names of aiokafka."""

from typing import Any

from gateway.settings import GatewaySettings
from schemas import aiokafka_config


def consumer_config(settings: GatewaySettings) -> dict[str, Any]:
    """Give the configuration of a consumer without a group, from the beginning."""
    return aiokafka_config.consumer_config(settings, _client_id(settings))


def producer_config(settings: GatewaySettings) -> dict[str, Any]:
    """Give the configuration of a producer that loses nothing and repeats nothing."""
    return aiokafka_config.producer_config(settings, _client_id(settings))


def _client_id(settings: GatewaySettings) -> str:
    return f"tickcast-gateway-{settings.instance}"
