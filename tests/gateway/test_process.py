"""The gateway as a process: how it starts, refuses to start, and stops."""

import asyncio
import fcntl
import io
import json
import resource
import signal
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from gateway.access.__main__ import run_command
from gateway.access.users_command import run_command as change_users
from gateway.database.settings import DatabaseSettings
from gateway.presentation import present
from schemas.close_codes import CloseCode
from schemas.errors import EXIT_STOP_AND_SAY
from tests.brokers import BrokerUnderTest
from tests.gateway.contract import read_message
from tests.gateway.proxy import proxy_to
from tests.gateway.samples import prediction
from tests.gateway.web import DEADLINE_SECONDS
from tests.processes import Processes, ServiceProcess, free_port

TOKEN_KEY = "a key of the tests, which is as long as it has to be"
#: What is promised of connections that are open.
REVOKED_WITHIN_SECONDS = 5.0
#: Of a service whose supervisor should start it again.
EXIT_AND_TRY_AGAIN = 1


def start(processes: Processes, broker: BrokerUnderTest, **settings: Any) -> ServiceProcess:
    port = free_port()
    environment = broker.environment(**{"gateway_port": port, "metrics_port": port, **settings})
    return processes.start("gateway", environment=environment)


def ask(service: ServiceProcess, path: str) -> dict[str, Any]:
    answer = httpx.get(f"http://127.0.0.1:{service.health_port}{path}", timeout=DEADLINE_SECONDS)
    body: dict[str, Any] = answer.raise_for_status().json()
    return body


def status(service: ServiceProcess, path: str) -> int:
    return httpx.get(f"http://127.0.0.1:{service.health_port}{path}", timeout=DEADLINE_SECONDS).status_code


async def hear(connection: Any) -> dict[str, Any]:
    return read_message(await asyncio.wait_for(connection.recv(), DEADLINE_SECONDS))


async def test_rest_socket_and_topic_say_the_same_and_after_a_restart_a_client_goes_on_where_it_was(
    broker: BrokerUnderTest, processes: Processes
) -> None:
    broker.produce("predictions-latest", prediction("AAPL", 1), prediction("AAPL", 2), key="AAPL")
    service = start(processes, broker)
    await asyncio.to_thread(service.wait_until_healthy)
    before = ask(service, "/predict/AAPL")
    async with connect(f"ws://127.0.0.1:{service.health_port}/ws/predictions") as connection:
        epoch = (await hear(connection))["epoch"]
        await connection.send('{"action": "subscribe", "tickers": ["AAPL"]}')
        assert (await hear(connection))["tickers"] == ["AAPL"]
        assert (await hear(connection))["predictions"] == [before | {"seq": 1, "prev": 0, "prev_final": 0}]
        await asyncio.to_thread(broker.produce, "predictions-latest", prediction("AAPL", 3), key="AAPL")
        update = await hear(connection)
        service.send(signal.SIGTERM)
        assert 0 <= (await hear(connection))["reconnect_after_ms"] < 5_000
        with pytest.raises(ConnectionClosed) as closed:
            await hear(connection)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == CloseCode.GOING_AWAY
        assert await asyncio.to_thread(service.wait) == 0
    broker.produce("predictions-latest", prediction("AAPL", 4), key="AAPL")
    again = start(processes, broker)
    await asyncio.to_thread(again.wait_until_healthy)
    async with connect(f"ws://127.0.0.1:{again.health_port}/ws/predictions") as connection:
        assert (await hear(connection))["epoch"] == epoch
        since = {"epoch": epoch, "seq": {"AAPL": update["seq"]}}
        await connection.send(json.dumps({"action": "subscribe", "tickers": ["AAPL"], "since": since}))
        assert (await hear(connection))["recovered"] is True
        assert (await hear(connection))["predictions"] == []
        missed = await hear(connection)
        assert (missed["seq"], missed["prev"]) == (3, 2)
    records = [record.event() for record in broker.read("predictions-latest")]
    expected = [json.loads(present(record)) for record in records[-2:]]
    assert update == {"type": "prediction", "seq": 2, "prev": 1, "prev_final": 1} | expected[0]
    assert ask(again, "/predict/AAPL") == expected[1]
    assert ask(again, "/health")["services"]["gateway"]["state"] == "ready"


def stopped_and_said(service: ServiceProcess) -> str:
    """Check that it ended on purpose with one line, and give the line."""
    assert service.wait() == EXIT_STOP_AND_SAY, service.output()
    (line,) = service.output().strip().splitlines()
    return line


def test_a_taken_port_is_one_clear_line(embedded: BrokerUnderTest, processes: Processes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = stopped_and_said(start(processes, embedded, gateway_port=port))
    assert str(port) in line
    assert "TICKCAST_GATEWAY_PORT" in line


def test_an_unreachable_broker_is_one_clear_line(embedded: BrokerUnderTest, processes: Processes) -> None:
    address = f"127.0.0.1:{free_port()}"
    service = start(processes, embedded, kafka_bootstrap_servers=address, kafka_answer_seconds=0.5)
    assert service.wait() == EXIT_AND_TRY_AGAIN
    (line,) = service.output().strip().splitlines()
    assert address in line


async def test_the_stop_does_not_wait_for_a_broker_that_is_away(
    embedded: BrokerUnderTest, processes: Processes
) -> None:
    async with proxy_to(embedded.bootstrap_servers) as proxy:
        service = start(processes, embedded, kafka_bootstrap_servers=proxy.address)
        await asyncio.to_thread(service.wait_until_healthy)
        await proxy.go()
        away = lambda: service.health().get("state") == "degraded"  # noqa: E731
        await asyncio.to_thread(service.wait_for, away, what="noticing the outage")
        service.send(signal.SIGTERM)
        assert await asyncio.to_thread(service.wait) == 0
    assert "Traceback" not in service.output()


def test_told_to_stop_it_says_so_and_serves_on_for_the_time_that_is_set(
    embedded: BrokerUnderTest, processes: Processes
) -> None:
    service = start(processes, embedded, drain_seconds=3_600)
    service.wait_until_healthy()
    assert status(service, "/health/ready") == 200
    service.send(signal.SIGTERM)
    service.wait_for(lambda: status(service, "/health/ready") == 503, what="no longer being ready")
    assert (status(service, "/health"), status(service, "/health/live"), status(service, "/predictions")) == (
        503,
        200,
        200,
    )
    service.send(signal.SIGTERM)  # told twice, it does not wait
    assert service.wait() == 0


def test_a_missing_topic_is_one_clear_line(embedded: BrokerUnderTest, processes: Processes) -> None:
    line = stopped_and_said(start(processes, embedded, topic_prefix="nobody-made-these."))
    assert "nobody-made-these.predictions-latest is missing" in line


def test_a_wrong_setting_is_one_clear_line(embedded: BrokerUnderTest, processes: Processes) -> None:
    line = stopped_and_said(start(processes, embedded, heartbeat_seconds="soon"))
    assert "TICKCAST_HEARTBEAT_SECONDS" in line


def test_the_soft_limit_of_open_files_is_raised_and_one_line_says_where_that_is_not_enough(
    embedded: BrokerUnderTest, processes: Processes
) -> None:
    service = start(processes, embedded, maximum_clients=2**62)
    service.wait_until_healthy()
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] != resource.RLIM_INFINITY:
        (line,) = [line for line in service.output().splitlines() if "files may be open" in line]
        assert "TICKCAST_MAXIMUM_CLIENTS" in line
    soft, hard = resource.prlimit(service.process.pid, resource.RLIMIT_NOFILE)
    assert soft == hard


def test_head_is_answered_like_get_without_a_body(embedded: BrokerUnderTest, processes: Processes) -> None:
    service = start(processes, embedded)
    service.wait_until_healthy()
    answer = httpx.head(f"http://127.0.0.1:{service.health_port}/health", timeout=DEADLINE_SECONDS)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 0
    assert float(answer.headers["X-Response-Time"]) >= 0


def start_asking(
    processes: Processes, broker: BrokerUnderTest, folder: Path, **settings: Any
) -> tuple[DatabaseSettings, ServiceProcess]:
    """Start a gateway that asks who one is, and says in its log whatever it can."""
    url = f"sqlite:///{folder}/accounts.db"
    asking = {"auth_required": "true", "token_key": TOKEN_KEY, "database_url": url, "log_level": "debug"}
    service = start(processes, broker, **asking, heartbeat_seconds=3_600)
    return DatabaseSettings(_env_file=None, database_url=SecretStr(url)), service


async def test_a_gateway_that_asks_for_keys_knows_those_made_by_command_and_ends_what_a_revoked_one_opened(
    embedded: BrokerUnderTest, processes: Processes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given, service = start_asking(processes, embedded, tmp_path)
    await asyncio.to_thread(service.wait_until_healthy)
    run_command(given, ["create", "--admin"])
    headers = {"X-API-Key": capsys.readouterr().out.strip()}
    address = f"127.0.0.1:{service.health_port}"

    def status(**options: Any) -> int:
        return httpx.get(f"http://{address}/models/status", timeout=DEADLINE_SECONDS, **options).status_code

    assert status() == 401
    known = lambda: status(headers=headers) == 200  # noqa: E731
    await asyncio.to_thread(service.wait_for, known, what="the key's being known")
    async with connect(f"ws://{address}/ws/predictions", additional_headers=headers) as connection:
        assert (await hear(connection))["type"] == "welcome"
        run_command(given, ["revoke", headers["X-API-Key"].split("_")[1]])
        with pytest.raises(ConnectionClosed) as closed:
            await hear(connection)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == CloseCode.REVOKED
    assert status(headers=headers) == 401
    service.send(signal.SIGTERM)
    assert await asyncio.to_thread(service.wait) == 0
    run_command(given, ["usage"])  # written at the latest before it stops
    counts = capsys.readouterr().out.split()
    assert counts[1] == headers["X-API-Key"].split("_")[1]
    assert int(counts[counts.index("requests") + 1]) >= 2  # a path, and the socket's handshake
    assert int(counts[counts.index("messages") + 1]) == 1
    assert headers["X-API-Key"] not in service.output()


async def test_a_right_key_is_not_refused_while_a_gateway_that_starts_does_not_know_the_keys(
    embedded: BrokerUnderTest, processes: Processes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "accounts.db"
    run_command(DatabaseSettings(_env_file=None, database_url=SecretStr(f"sqlite:///{file}")), ["create"])
    headers = {"X-API-Key": capsys.readouterr().out.strip()}
    with Path(f"{file}.migrating").open("w") as migrating, httpx.Client(timeout=DEADLINE_SECONDS) as client:
        fcntl.flock(migrating, fcntl.LOCK_EX)  # another one brings the tables up to date
        _, service = start_asking(processes, embedded, tmp_path)
        await asyncio.to_thread(service.wait_for, lambda: "serving" in service.output(), what="its listening")
        url = f"http://127.0.0.1:{service.health_port}/models/status"
        asking = asyncio.create_task(asyncio.to_thread(client.get, url, headers=headers))
        await asyncio.wait({asking}, timeout=1.0)
        fcntl.flock(migrating, fcntl.LOCK_UN)
        assert (await asking).status_code in (200, 503)  # 503 until it has caught up


async def test_a_user_who_is_disabled_by_command_is_out_within_seconds_and_no_secret_is_in_the_log(
    embedded: BrokerUnderTest, processes: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, service = start_asking(processes, embedded, tmp_path)
    await asyncio.to_thread(service.wait_until_healthy)
    log_in = {"username": "ada", "password": "correct horse battery staple"}
    monkeypatch.setattr("sys.stdin", io.StringIO(log_in["password"]))
    change_users(given, ["add", log_in["username"]])
    address = f"127.0.0.1:{service.health_port}"
    async with httpx.AsyncClient(base_url=f"http://{address}/api/v1", timeout=DEADLINE_SECONDS) as client:
        tokens = (await client.post("/auth/token", json=log_in)).json()
        client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        ticket = (await client.post("/events/ticket")).json()["ticket"]
        async with (
            client.stream("GET", "/events/predictions", params={"ticket": ticket}, headers={}) as events,
            connect(f"ws://{address}/ws/predictions") as connection,
        ):
            lines = events.aiter_lines()
            assert await anext(lines) == "event: subscribed"
            assert (await hear(connection))["type"] == "welcome"
            await connection.send(json.dumps({"action": "auth", "token": tokens["access_token"]}))
            assert (await hear(connection))["type"] == "authenticated"
            change_users(given, ["disable", "ada"])
            with pytest.raises(ConnectionClosed) as closed:
                async with asyncio.timeout(REVOKED_WITHIN_SECONDS):
                    await connection.recv()
            assert [line async for line in lines if line.startswith("event:")][1:] == []
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == CloseCode.REVOKED
        assert (await client.get("/models/status")).status_code == 401
    secrets = [log_in["password"], ticket, *tokens["access_token"].split(".")[1:], tokens["refresh_token"], TOKEN_KEY]
    assert [secret for secret in secrets if secret in service.output()] == []


def test_a_gateway_that_asks_who_one_is_and_has_no_key_to_sign_with_says_how_to_make_one(
    embedded: BrokerUnderTest, processes: Processes
) -> None:
    for settings in ({}, {"token_key": "short"}):
        line = stopped_and_said(start(processes, embedded, auth_required="true", **settings))
        assert "TICKCAST_TOKEN_KEY" in line
        assert "secrets.token_urlsafe(48)" in line
        assert "short" not in line
