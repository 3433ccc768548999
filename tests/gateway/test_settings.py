"""Settings, and what is made of them."""

import socket

import pytest

from gateway.kafka_config import consumer_config, producer_config
from gateway.server import SEND_BUFFER_BYTES, bind, url_of
from gateway.settings import GatewaySettings
from schemas.errors import StopAndSayError
from schemas.settings import load_settings
from tests.gateway.samples import settings


def test_lists_of_names_come_from_the_environment_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKCAST_ALLOWED_HOSTS", "one.example, two.example")
    monkeypatch.setenv("TICKCAST_GATEWAY_PORT", "8123")
    given = load_settings(GatewaySettings, _env_file=None)
    assert given.allowed_hosts == ("one.example", "two.example")
    assert (given.gateway_host, given.gateway_port, given.heartbeat_seconds) == ("127.0.0.1", 8123, 15.0)


def test_a_password_reaches_aiokafka_and_transport_security_is_on() -> None:
    given = settings(
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_mechanism="SCRAM-SHA-512",
        kafka_sasl_username="someone",
        kafka_sasl_password="secret",
    )
    config = consumer_config(given)
    named = ("security_protocol", "sasl_mechanism", "sasl_plain_username", "sasl_plain_password")
    assert [config[name] for name in named] == ["SASL_SSL", "SCRAM-SHA-512", "someone", "secret"]
    assert config["ssl_context"].check_hostname
    assert "ssl_context" not in producer_config(settings())


def test_the_listener_bounds_what_the_kernel_keeps_for_a_client() -> None:
    with bind(settings()) as listener:
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * SEND_BUFFER_BYTES
        assert url_of(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"
    with bind(settings(gateway_host="0.0.0.0")) as everywhere:  # noqa: S104
        assert url_of(everywhere).startswith("http://127.0.0.1:")


def test_a_host_of_another_machine_is_one_clear_line() -> None:
    with pytest.raises(StopAndSayError, match="TICKCAST_GATEWAY_HOST"):
        bind(settings(gateway_host="192.0.2.1"))
