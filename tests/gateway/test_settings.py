"""Settings, and what is made of them."""

import resource
import socket

import pytest

from gateway.kafka_config import consumer_config, producer_config
from gateway.open_files import raise_file_limit
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
    assert (given.gateway_host, given.gateway_port, given.heartbeat_seconds) == ("127.0.0.1", 8123, 10.0)


@pytest.mark.parametrize(
    ("variable", "value", "fix"),
    [
        ("TICKCAST_ALLOWED_HOSTS", "https://one.example", "gateway.example"),
        ("TICKCAST_ALLOWED_HOSTS", "one.example, two.example/path", "gateway.example"),
        ("TICKCAST_ALLOWED_HOSTS", "*.example", "gateway.example"),
        ("TICKCAST_ALLOWED_HOSTS", "one.example:port", "gateway.example"),
        ("TICKCAST_ALLOWED_HOSTS", "one.example:70000", "gateway.example"),
        ("TICKCAST_ALLOWED_ORIGINS", "board.example", "scheme://host"),
        ("TICKCAST_ALLOWED_ORIGINS", "https://board.example/path", "scheme://host"),
        ("TICKCAST_ALLOWED_ORIGINS", "null", "scheme://host"),
        ("TICKCAST_ALLOWED_ORIGINS", "*", "name the origins"),
    ],
)
def test_hosts_and_origins_that_could_never_match_are_refused_with_the_variable_and_the_fix(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, fix: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(StopAndSayError) as refused:
        load_settings(GatewaySettings, _env_file=None)
    assert variable in str(refused.value)
    assert fix in str(refused.value)


UNLIMITED = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("before", "after", "warned"),
    [
        ((1_024, 4_096), (2_200, 4_096), False),
        ((1_024, UNLIMITED), (2_200, UNLIMITED), False),
        ((1_024, 2_199), (2_199, 2_199), True),
        ((2_200, 4_096), None, False),
        ((UNLIMITED, UNLIMITED), None, False),
    ],
)
def test_the_limit_of_open_files_is_raised_to_what_the_clients_need_or_one_line_says_that_it_is_too_low(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    before: tuple[int, int],
    after: tuple[int, int] | None,
    warned: bool,
) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr("resource.getrlimit", lambda _: before)
    monkeypatch.setattr("resource.setrlimit", lambda _, limits: asked.append(limits))
    raise_file_limit(2_000)
    assert asked == ([] if after is None else [after])
    assert [record.levelname for record in caplog.records] == ["WARNING"] * warned
    assert not warned or "2000 connections need 2200" in caplog.text


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
        assert url_of(listener, https=True).startswith("https://127.0.0.1:")
    with bind(settings(gateway_host="0.0.0.0", open_without_auth=True)) as everywhere:  # noqa: S104
        assert url_of(everywhere).startswith("http://127.0.0.1:")


def test_a_host_of_another_machine_is_one_clear_line() -> None:
    with pytest.raises(StopAndSayError, match="TICKCAST_GATEWAY_HOST"):
        bind(settings(gateway_host="192.0.2.1", auth_required=True))


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104
def test_who_asks_nobody_for_a_key_listens_on_this_machine_only(host: str) -> None:
    with pytest.raises(StopAndSayError, match="TICKCAST_AUTH_REQUIRED=true"):
        bind(settings(gateway_host=host))
    with bind(settings(gateway_host="0.0.0.0", auth_required=True)) as asking:  # noqa: S104
        assert asking.getsockname()[1] > 0
