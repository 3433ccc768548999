"""What the gateway says in its log, and what it never says."""

import asyncio
import contextlib
import io
import json
import logging
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from websockets.asyncio.client import connect

from gateway.access.scopes import Scope
from gateway.access.users_command import run_command as change_users
from gateway.database.settings import DatabaseSettings
from gateway.request_log import RequestLog
from schemas.log_events import LogEvent
from tests.brokers import BrokerUnderTest
from tests.gateway.access.people import key_of
from tests.gateway.samples import make_parts, prediction
from tests.gateway.web import DEADLINE_SECONDS, client_of
from tests.processes import Processes, free_port

PASSWORD = "s3cret correct horse"
MARK = "s3cret"


def requests_of(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    names = ("method", "route", "status", "caller")
    found = [record for record in caplog.records if getattr(record, "event", None) is LogEvent.REQUEST]
    return [{name: getattr(record, name) for name in names} for record in found]


async def test_a_request_is_logged_by_its_route_with_who_asked_and_never_by_its_path(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    parts = make_parts(prediction("AAPL"), auth_required=True, log_requests=1.0)
    key, kept = key_of(parts, Scope.READ)
    async with client_of(parts) as client:
        await client.get("/predict/AAPL", headers={"X-API-Key": key})
        await client.get(f"/api/v1/predict/{MARK}?key={MARK}", headers={"X-API-Key": key})
        await client.head(f"/{MARK}")
    of_ticker, nowhere = {"route": "/predict/{ticker}", "caller": kept.id}, {"route": "other", "caller": None}
    assert requests_of(caplog) == [
        {"method": "GET", "status": 200, **of_ticker},
        {"method": "GET", "status": 404, **of_ticker},
        {"method": "HEAD", "status": 401, **nowhere},
    ]
    assert not [record for record in caplog.records if record.name != "httpx" and MARK in str(vars(record))]
    assert all(record.milliseconds >= 0 for record in caplog.records if hasattr(record, "milliseconds"))


async def test_requests_are_not_logged_unless_that_is_wanted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with client_of(make_parts(prediction("AAPL"))) as client:
        await client.get("/predict/AAPL")
    assert requests_of(caplog) == []


def test_a_share_of_requests_is_logged_evenly_and_every_one_that_failed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log = RequestLog(0.25)
    for number in range(12):
        log.note("GET", f"/{number}", 200, 0.001, None)
    assert [said["route"] for said in requests_of(caplog)] == ["/3", "/7", "/11"]
    log.note(MARK, "/", 503, 0.001, None)
    assert requests_of(caplog)[-1] == {"method": "other", "route": "/", "status": 503, "caller": None}


async def send_raw(port: int, text: str) -> None:
    """Say something that need not be HTTP, and wait for the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text.encode())
    await asyncio.wait_for(reader.read(), DEADLINE_SECONDS)
    writer.close()


async def ask_with_secrets_everywhere(port: int) -> None:
    """Put a secret wherever a client can put one."""
    headers = {"X-API-Key": f"tc_{MARK}_key", "Cookie": f"tickcast_refresh={MARK}", "User-Agent": MARK}
    more = {"X-Forwarded-For": MARK, "Idempotency-Key": MARK, "Last-Event-ID": MARK, "X-Anything": MARK}
    body = {"username": MARK, "password": MARK, "ticker": MARK, "refresh_token": MARK, MARK: MARK}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=DEADLINE_SECONDS) as client:
        for path in (f"/predict/{MARK}", f"/{MARK}", "/predictions", "/models/status", f"/static-offline-docs/{MARK}"):
            for given in (
                headers,
                {"Authorization": f"Bearer {MARK}.{MARK}.{MARK}"},
                {"Authorization": f"Basic {MARK}"},
            ):
                await client.get(path, params={"ticket": MARK, MARK: MARK}, headers=given | more)
        await client.get("/events/predictions", params={"ticket": MARK, "tickers": MARK})
        for path in ("/auth/token", "/auth/refresh", "/auth/revoke", "/auth/register", "/predict", "/predict/batch"):
            await client.post(path, json=body, headers=headers)
            await client.post(path, content=f"{MARK} is no JSON", headers={"Content-Type": "application/json"})
            await client.post(path, content=MARK, headers={"Content-Type": MARK})
        await client.get("/predictions", headers={"Host": f"{MARK}.example"})
        await client.post("/predict", json=body, headers={"Origin": f"https://{MARK}.example"})
        await client.request("OPTIONS", f"/{MARK}", headers={"Origin": MARK, "Access-Control-Request-Method": "POST"})
    await send_raw(port, f"{MARK} /{MARK} HTTP/1.1\r\nHost: {MARK}\r\n\r\n")
    await send_raw(port, f"GET /{MARK} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {MARK}\r\n\r\n")


async def speak_with_secrets_everywhere(port: int) -> None:
    """Do the same on WebSockets."""
    said = (
        {"action": "auth", "key": f"tc_{MARK}"},
        {"action": "auth", "token": MARK},
        {"action": MARK, MARK: MARK},
        {"action": "subscribe", "tickers": [MARK], "id": MARK},
    )
    messages: list[str | bytes] = [*map(json.dumps, said), MARK, MARK.encode()]
    for message in messages:
        async with connect(f"ws://127.0.0.1:{port}/ws/predictions?ticket={MARK}") as connection:
            await connection.send(message)
            assert json.loads(await connection.recv())["type"] == "welcome"
            assert json.loads(await connection.recv())["type"] == "error"
    for path in (f"/{MARK}", "/ws/bars"):
        with contextlib.suppress(Exception):
            async with connect(f"ws://127.0.0.1:{port}{path}", additional_headers={"X-API-Key": f"tc_{MARK}"}):
                pass


async def live_as_a_user(port: int) -> list[str]:
    """Log in and out, with a wrong password once, and with a refresh token that was used before; give the secrets."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=DEADLINE_SECONDS) as client:

        async def log_in(password: str) -> Any:
            return (await client.post("/auth/token", json={"username": "ada", "password": password})).json()

        async def send(path: str, given: dict[str, str]) -> int:
            return (await client.post(path, json={"refresh_token": given["refresh_token"]})).status_code

        await log_in(MARK)
        first, second = await log_in(PASSWORD), await log_in(PASSWORD)
        assert await send("/auth/revoke", first) == 204
        assert [await send("/auth/refresh", second) for _ in range(2)] == [200, 401]
    return [given[kind].rpartition(".")[2] for given in (first, second) for kind in ("access_token", "refresh_token")]


def _has_summed_up_refusals(output: str) -> bool:
    """Tell whether a summary has come after the first refusal; the first one may be older."""
    records = [json.loads(line) for line in output.splitlines() if line.endswith("}")]
    return any(record.get("event") == "served" and record["refused"] > 0 for record in records)


async def test_security_events_are_records_and_no_secret_is_in_the_log_even_at_its_most_talkative(
    embedded: BrokerUnderTest, processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, url = free_port(), f"sqlite:///{tmp_path}/accounts.db"
    talkative = {"log_format": "json", "log_level": "debug", "log_requests": 1, "log_summary_seconds": 0.5}
    asking = {
        "auth_required": "true",
        "registration_open": "true",
        "token_key": f"{MARK}, and it is as long as it has to be",
    }
    environment = embedded.environment(gateway_port=port, metrics_port=port, database_url=url, **asking, **talkative)
    service = processes.start("gateway", environment=environment)
    await asyncio.to_thread(service.wait_until_healthy, path="/health/ready")
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD))
    change_users(DatabaseSettings(_env_file=None, database_url=SecretStr(url)), ["add", "ada"])
    await ask_with_secrets_everywhere(port)
    await speak_with_secrets_everywhere(port)
    secrets = [MARK, *await live_as_a_user(port)]
    await asyncio.to_thread(service.wait_for, lambda: _has_summed_up_refusals(service.output()), what="a summary")
    assert await asyncio.to_thread(service.stop) == 0
    output = service.output()
    assert [line for line in output.splitlines() if any(secret.lower() in line.lower() for secret in secrets)] == []
    records = [json.loads(line) for line in output.splitlines()]
    counted = Counter(record.get("event") for record in records)
    for event in ("request", "served", "refused", "logged_in", "log_in_failed", "logged_out", "refresh_reused"):
        assert counted[event] > 0, event
    refused = {record["reason"] for record in records if record.get("event") == "refused"}
    assert {"foreign-host", "foreign-origin", "wrong-key", "wrong-token"} <= refused
    [reused] = [record for record in records if record.get("event") == "refresh_reused"]
    assert reused["address"] == "127.0.0.1"
    assert reused["user"]
    served = [record for record in records if record.get("event") == "served"]
    assert sum(record["answers"] for record in served) > 0
    assert sum(record["refused"] for record in served) > 0
