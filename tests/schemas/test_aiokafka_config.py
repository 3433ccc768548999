"""The broker's settings reach aiokafka."""

import ssl
from typing import Any

import pytest

from schemas.aiokafka_config import client_config, consumer_config, producer_config
from schemas.settings import Settings


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)


def test_a_plain_broker_needs_no_secrets() -> None:
    config = client_config(settings(kafka_bootstrap_servers="a:1,b:2"), "me")
    assert (config["bootstrap_servers"], config["client_id"]) == ("a:1,b:2", "me")
    assert not {name for name in config if name.startswith(("sasl", "ssl"))}


def test_user_and_password_reach_aiokafka_and_transport_security_is_on() -> None:
    given = {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_mechanism": "SCRAM-SHA-512"}
    config = client_config(settings(**given, kafka_sasl_username="me", kafka_sasl_password="secret"), "me")
    assert config["sasl_mechanism"] == "SCRAM-SHA-512"
    assert (config["sasl_plain_username"], config["sasl_plain_password"]) == ("me", "secret")
    assert isinstance(config["ssl_context"], ssl.SSLContext)
    assert config["ssl_context"].verify_mode is ssl.CERT_REQUIRED


@pytest.mark.parametrize(("embedded", "wait_ms"), [(True, 50), (False, 500)])
def test_a_consumer_has_no_group_and_begins_at_the_beginning(embedded: bool, wait_ms: int) -> None:
    config = consumer_config(settings(kafka_embedded=embedded), "me")
    assert (config["group_id"], config["auto_offset_reset"]) == (None, "earliest")
    assert config["fetch_max_wait_ms"] == wait_ms


def test_a_producer_loses_nothing_and_repeats_nothing() -> None:
    config = producer_config(settings(), "me")
    assert (config["acks"], config["enable_idempotence"]) == ("all", True)
