"""The broker's settings in the names of aiokafka, for clients without a group. The client is the caller's."""

from typing import Any

from schemas.settings import Settings

#: A request that takes longer has failed, and is sent again.
_REQUEST_TIMEOUT_MS = 10_000


def client_config(settings: Settings, client_id: str) -> dict[str, Any]:
    """Give what consumers and producers share, with the password in it: print it nowhere."""
    config: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "client_id": client_id,
        "security_protocol": settings.kafka_security_protocol,
        "request_timeout_ms": _REQUEST_TIMEOUT_MS,
        "retry_backoff_ms": 250,
    }
    if settings.kafka_uses_tls:
        config["ssl_context"] = settings.kafka_tls()
    if settings.kafka_uses_sasl:
        config["sasl_mechanism"] = settings.kafka_sasl_mechanism
        config["sasl_plain_username"] = settings.kafka_sasl_username
        config["sasl_plain_password"] = settings.kafka_password()
    return config


def consumer_config(settings: Settings, client_id: str) -> dict[str, Any]:
    """Give the configuration of a consumer without a group, from the beginning."""
    return client_config(settings, client_id) | {
        "group_id": None,
        "enable_auto_commit": False,
        "auto_offset_reset": "earliest",
        # The embedded broker answers a fetch only when its wait is over, even where records have come.
        "fetch_max_wait_ms": 50 if settings.kafka_embedded else 500,
    }


def producer_config(settings: Settings, client_id: str) -> dict[str, Any]:
    """Give the configuration of a producer that loses nothing and repeats nothing."""
    return client_config(settings, client_id) | {"acks": "all", "enable_idempotence": True}
