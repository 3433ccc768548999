"""What is told to a web address, and what becomes of an address that is slow, away, or answers that it failed."""

import hashlib
import hmac
import json
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from predictor.training import webhook
from predictor.training.settings import TrainingSettings
from predictor.training.webhook import SIGNATURE_HEADER, tell
from schemas.errors import StopAndSayError
from schemas.settings import load_settings
from tests.predictor_training.decisions import decision
from tests.processes import free_port

EVENT = decision("set-a", command_id="drift/set-a/1970-01-03T00:00:00Z")


@dataclass
class Receiver:
    """A server that keeps what it is told."""

    port: int = 0
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    taken: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answers: threading.Event = field(default_factory=threading.Event)

    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks/secret-token"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()
    kept.answers.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.taken.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            kept.answers.wait(30)
            self.send_response(kept.status)
            for name, value in kept.headers.items():
                self.send_header(name, value)
            self.end_headers()

        do_GET = do_POST  # noqa: N815 - the name is http.server's

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - likewise
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield kept
    kept.answers.set()
    server.shutdown()
    server.server_close()


def settings_of(url: str, **values: Any) -> TrainingSettings:
    return TrainingSettings(_env_file=None, instance="1", webhook_url=url, **values)


def test_an_event_is_posted_as_json_with_the_headers_of_cloudevents(receiver: Receiver) -> None:
    tell(settings_of(receiver.url()), EVENT)
    [(path, headers, body)] = receiver.taken
    assert path == "/hooks/secret-token"
    assert json.loads(body)["command_id"] == EVENT.command_id
    assert headers["content-type"] == "application/json"
    assert (headers["ce-type"], headers["ce-id"]) == ("tickcast.ModelEvent", EVENT.id)
    assert headers["ce-source"] == "/tickcast/trainer/1"
    assert SIGNATURE_HEADER.lower() not in headers


def test_with_a_secret_the_body_is_signed(receiver: Receiver) -> None:
    tell(settings_of(receiver.url(), webhook_secret="swordfish"), EVENT)
    [(_, headers, body)] = receiver.taken
    assert headers[SIGNATURE_HEADER.lower()] == "sha256=" + hmac.new(b"swordfish", body, hashlib.sha256).hexdigest()


def test_without_an_address_nothing_is_told(caplog: pytest.LogCaptureFixture) -> None:
    tell(settings_of(""), EVENT)
    assert caplog.records == []


@pytest.mark.parametrize(("status", "headers"), [(500, {}), (404, {}), (302, {"Location": "/elsewhere"})])
def test_a_failure_is_said_without_the_address(
    receiver: Receiver, status: int, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    receiver.status, receiver.headers = status, headers
    tell(settings_of(receiver.url()), EVENT)
    assert len(receiver.taken) == 1, "a redirect is not followed"
    assert caplog.messages == [f"the webhook was not told of ModelEvent decision-0: it answered {status}"]


@pytest.mark.parametrize("url", ["http://user:hunter2@127.0.0.1:1/x", "https://", "http://127.0.0.1:{port}/secret"])
def test_an_address_that_is_away_or_none_stops_nobody(url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    tell(settings_of(url.format(port=free_port())), EVENT)
    [message] = caplog.messages
    assert message.startswith("the webhook was not told of ModelEvent decision-0: ")
    assert not any(word in message for word in ("127.0.0.1", "hunter2", "secret"))


def test_a_slow_one_is_not_waited_for(
    receiver: Receiver, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "ANSWER_SECONDS", 0.5)
    receiver.answers.clear()
    started = time.monotonic()
    tell(settings_of(receiver.url()), EVENT)
    took_seconds = time.monotonic() - started
    assert took_seconds < 30, "it returned before the server did"
    [message] = caplog.messages
    assert "no answer within 0.5 s" in message or "TimeoutError" in message


def test_an_address_of_another_kind_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKCAST_WEBHOOK_URL", "file:///etc/swordfish")
    with pytest.raises(StopAndSayError, match=r"TICKCAST_WEBHOOK_URL: .*https://") as told:
        load_settings(TrainingSettings, _env_file=None)
    assert "swordfish" not in str(told.value)


def test_settings_do_not_show_the_address_nor_the_secret() -> None:
    shown = repr(settings_of("https://example.org/swordfish", webhook_secret="hunter2"))
    assert "swordfish" not in shown
    assert "hunter2" not in shown
