"""HTTPS and WSS over a real socket, and files that cannot be served with."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.healthcheck import healthy
from deploy.readiness import fetch
from gateway.protocols import WRITE_BUFFER_BYTES
from gateway.settings import GatewaySettings
from schemas.errors import StopAndSayError
from schemas.settings import load_settings
from tests.certificates import Authority, Issued
from tests.gateway.samples import make_parts, prediction
from tests.gateway.web import DEADLINE_SECONDS, running, talking


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def served_with(issued: Issued, password: str = "") -> dict[str, Any]:
    return {
        "tls_certificate_file": str(issued.certificate),
        "tls_key_file": str(issued.key),
        "tls_key_password": password,
    }


def trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.certificate))


async def test_rest_and_socket_are_reached_over_tls_and_over_nothing_else(authority: Authority) -> None:
    parts = make_parts(prediction("AAPL"), **served_with(authority.issue(password="sesame"), "sesame"))
    trust = trusting(authority)
    async with running(parts) as server, httpx.AsyncClient(verify=trust, timeout=DEADLINE_SECONDS) as client:
        assert server.url.startswith("https://127.0.0.1:")
        answer = await client.get(f"{server.url}/predict/AAPL")
        assert answer.json()["ticker"] == "AAPL"
        async with talking(server, ssl=trust) as socket:
            await asyncio.wait_for(await socket.connection.ping(), DEADLINE_SECONDS)
            tls = socket.connection.transport.get_extra_info("ssl_object")
            assert tls.version() in {"TLSv1.2", "TLSv1.3"}
            [connection] = [c for c in server.server.server_state.connections if hasattr(c, "conn")]
            assert connection.transport.get_write_buffer_limits()[1] == WRITE_BUFFER_BYTES
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await httpx.AsyncClient().get(f"{server.url}/predict/AAPL")
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(f"{server.url.replace('https', 'http')}/predict/AAPL")


async def test_readiness_and_health_are_asked_over_tls_whatever_name_the_certificate_has(authority: Authority) -> None:
    async with running(make_parts(**served_with(authority.issue()))) as server:
        url = f"{server.url}/health"
        assert (await fetch(url))[0] == 200
        assert await asyncio.to_thread(healthy, url)


def test_old_versions_of_tls_are_not_spoken(authority: Authority) -> None:
    settings = GatewaySettings(_env_file=None, **served_with(authority.issue()))
    assert settings.tls().minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"CERTIFICATE_FILE": "server.pem"}, "TICKCAST_TLS_CERTIFICATE_FILE is set without TICKCAST_TLS_KEY_FILE"),
        ({"KEY_FILE": "server.key.pem"}, "TICKCAST_TLS_KEY_FILE is set without TICKCAST_TLS_CERTIFICATE_FILE"),
        (
            {"CERTIFICATE_FILE": "none.pem", "KEY_FILE": "server.key.pem"},
            "FILE: none.pem cannot be read",
        ),
        ({"CERTIFICATE_FILE": "server.pem", "KEY_FILE": "other.key.pem"}, "other.key.pem is not the key of the"),
        (
            {"CERTIFICATE_FILE": "locked.pem", "KEY_FILE": "locked.key.pem", "KEY_PASSWORD": "hunter2"},
            "if it is encrypted, set TICKCAST_TLS_KEY_PASSWORD",
        ),
    ],
)
def test_files_that_cannot_be_served_with_are_one_line_that_names_the_setting(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("server", "other"):
        authority.issue(name)
    authority.issue("locked", password="sesame")
    for name, value in given.items():
        monkeypatch.setenv(f"TICKCAST_TLS_{name}", value)
    with pytest.raises(StopAndSayError, match=r"^wrong settings: TICKCAST_TLS_.*") as refused:
        load_settings(GatewaySettings, _env_file=None)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "hunter2" not in f"{refused.value} {refused.value.__cause__}"
