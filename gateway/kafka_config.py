"""The broker's settings in the names of aiokafka."""

from typing import Any

from aiokafka.helpers import create_ssl_context

from gateway.settings import GatewaySettings

#: A request that takes longer has failed, and is sent again.
REQUEST_TIMEOUT_MS = 10_000


def client_config(settings: GatewaySettings) -> dict[str, Any]:
    """Give what consumers and producers share."""
    config: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "client_id": f"tickcast-gateway-{settings.instance}",
        "security_protocol": settings.kafka_security_protocol,
        "request_timeout_ms": REQUEST_TIMEOUT_MS,
        "retry_backoff_ms": 250,
    }
    if settings.kafka_security_protocol.endswith("SSL"):
        config["ssl_context"] = create_ssl_context(
            cafile=settings.kafka_ssl_ca_file or None,
            certfile=settings.kafka_ssl_certificate_file or None,
            keyfile=settings.kafka_ssl_key_file or None,
        )
    if settings.kafka_security_protocol.startswith("SASL"):
        config["sasl_mechanism"] = settings.kafka_sasl_mechanism
        config["sasl_plain_username"] = settings.kafka_sasl_username
        config["sasl_plain_password"] = settings.kafka_sasl_password.get_secret_value()
    return config


def consumer_config(settings: GatewaySettings) -> dict[str, Any]:
    """Give the configuration of a consumer without a group, from the beginning."""
    return client_config(settings) | {
        "group_id": None,
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        # The embedded broker answers a fetch only when its wait is over, even where records have come.
        "fetch_max_wait_ms": 50 if settings.kafka_embedded else 500,
    }


def producer_config(settings: GatewaySettings) -> dict[str, Any]:
    """Give the configuration of a producer that loses nothing and repeats nothing."""
    return client_config(settings) | {"acks": "all", "enable_idempotence": True}
