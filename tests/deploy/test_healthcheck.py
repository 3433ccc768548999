"""Docker's question to a container."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from deploy.healthcheck import health_url, healthy


@contextmanager
def _server(status: int) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/health"
        server.shutdown()


@pytest.mark.parametrize(("status", "is_healthy"), [(200, True), (503, False)])
def test_only_200_is_healthy(status: int, is_healthy: bool) -> None:
    with _server(status) as url:
        assert healthy(url) is is_healthy


def test_silence_is_not_healthy() -> None:
    with _server(200) as url:
        pass
    assert not healthy(url)


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        ({"TICKCAST_METRICS_PORT": "9102"}, "127.0.0.1:9102"),
        ({"TICKCAST_METRICS_PORT": "9102", "TICKCAST_METRICS_HOST": "0.0.0.0"}, "127.0.0.1:9102"),  # noqa: S104
        ({"TICKCAST_METRICS_PORT": "9102", "TICKCAST_METRICS_HOST": "10.0.0.7"}, "10.0.0.7:9102"),
        ({"TICKCAST_GATEWAY_PORT": "8123", "TICKCAST_METRICS_HOST": "10.0.0.7"}, "127.0.0.1:8123"),
        ({"TICKCAST_GATEWAY_HOST": "::"}, "[::1]:8000"),
        ({}, "127.0.0.1:8000"),
    ],
)
def test_a_service_is_asked_where_it_listens(environment: dict[str, str], place: str) -> None:
    assert health_url(environment) == f"http://{place}/health"


def test_only_the_gateway_is_asked_over_https_and_only_where_it_has_a_certificate() -> None:
    certificate = {"TICKCAST_TLS_CERTIFICATE_FILE": "/certificates/gateway.pem"}
    assert health_url(certificate) == "https://127.0.0.1:8000/health"
    assert health_url(certificate | {"TICKCAST_METRICS_PORT": "9102"}) == "http://127.0.0.1:9102/health"
    assert health_url({"TICKCAST_TLS_CERTIFICATE_FILE": ""}) == "http://127.0.0.1:8000/health"


def test_a_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with _server(200) as url:
        assert healthy(url)
