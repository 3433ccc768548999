"""Two workers on one port: both serve, and whoever is not connected to one that dies notices nothing."""

import asyncio
import contextlib
import json
import signal
from collections.abc import AsyncIterator
from os import kill, killpg
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from schemas.close_codes import CloseCode
from tests.brokers import BrokerUnderTest
from tests.gateway.samples import prediction
from tests.gateway.web import DEADLINE_SECONDS
from tests.processes import Processes, ServiceProcess, free_port

SOCKETS = 40


async def start(processes: Processes, broker: BrokerUnderTest, **settings: Any) -> ServiceProcess:
    """Start two workers that know of one ticker."""
    broker.produce("predictions-latest", prediction("AAPL", 1), key="AAPL")
    port = free_port()
    given = {"gateway_port": port, "metrics_port": port, "gateway_workers": 2, "instance": "pair"}
    environment = broker.environment(**given, **settings)
    service = processes.start("gateway", environment=environment)
    await asyncio.to_thread(service.wait_until_healthy, path="/health/ready")
    return service


def workers_of(service: ServiceProcess) -> set[int]:
    """Give the process ids of its workers."""
    pid = service.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()}


def runs(pid: int) -> bool:
    """Tell whether a process has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def by_worker(service: ServiceProcess, name: str) -> dict[str, float]:
    """Give a metric of each worker, over all its other labels."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(service.get("/metrics")[1]):
        for sample in family.samples:
            if sample.name == name:
                worker = sample.labels["worker"]
                found[worker] = found.get(worker, 0.0) + sample.value
    return found


@contextlib.asynccontextmanager
async def sockets_of(service: ServiceProcess) -> AsyncIterator[list[ClientConnection]]:
    """Open WebSockets that follow the ticker."""
    url = f"ws://127.0.0.1:{service.health_port}/ws/predictions"
    patient: dict[str, Any] = {"open_timeout": DEADLINE_SECONDS, "ping_interval": None, "max_queue": None}
    async with contextlib.AsyncExitStack() as stack:
        opened = await asyncio.gather(*(stack.enter_async_context(connect(url, **patient)) for _ in range(SOCKETS)))
        for connection in opened:
            await connection.send('{"action": "subscribe", "tickers": ["AAPL"]}')
        yield opened


async def hears(connection: ClientConnection, seq: int) -> bool:
    """Read up to a prediction; tell whether it came before the end of the connection."""
    with contextlib.suppress(ConnectionClosed):
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                message: dict[str, Any] = json.loads(await connection.recv())
                if message.get("seq") == seq:
                    return True
    return False


async def statuses_of(service: ServiceProcess, count: int) -> set[int]:
    """Ask for the ticker with a connection each, many at once, and whether it is ready; give the statuses."""
    limits = httpx.Limits(max_connections=16, max_keepalive_connections=0)
    async with httpx.AsyncClient(timeout=DEADLINE_SECONDS, limits=limits) as client:
        paths = ["/predict/AAPL", "/health/ready"] * (count // 2)
        answers = await asyncio.gather(*(client.get(f"http://127.0.0.1:{service.health_port}{path}") for path in paths))
    return {answer.status_code for answer in answers}


async def test_both_workers_serve_and_the_end_of_one_ends_its_connections_and_nothing_else(
    embedded: BrokerUnderTest, processes: Processes
) -> None:
    service = await start(processes, embedded)
    async with sockets_of(service) as connections:
        assert await statuses_of(service, 400) == {200}
        requests, clients = (
            by_worker(service, name) for name in ("tickcast_http_request_seconds_count", "tickcast_websocket_clients")
        )
        assert (min(requests.values()) > 20, len(requests)) == (True, 2), requests
        assert (min(clients.values()) > 0, sum(clients.values())) == (True, SOCKETS), clients
        victim = min(workers_of(service))
        kill(victim, signal.SIGKILL)
        await asyncio.to_thread(service.wait_for, lambda: not runs(victim), what="the worker's end")
        assert await statuses_of(service, 200) == {200}  # while it is away
        await asyncio.to_thread(embedded.produce, "predictions-latest", prediction("AAPL", 2), key="AAPL")
        heard = await asyncio.gather(*(hears(connection, 1) for connection in connections))
        assert sum(heard) in {int(count) for count in clients.values()}
        back = {"1": 1.0, "2": 1.0}
        both = lambda: by_worker(service, "tickcast_gateway_workers") == back  # noqa: E731
        await asyncio.to_thread(service.wait_for, both, what="both workers' answering again")
        assert victim not in workers_of(service)
        taken = lambda: len(by_worker(service, "tickcast_http_request_seconds_count")) == 2  # noqa: E731
        await asyncio.to_thread(service.wait_for, taken, what="the new worker's taking requests")
        statuses = [record.event() for record in embedded.read("service-status")]
        assert {status.instance for status in statuses if status.service == "gateway"} == {"pair-1", "pair-2"}
        workers = workers_of(service)
        assert await asyncio.to_thread(service.stop) == 0
        alive = [connection for connection, did in zip(connections, heard, strict=True) if did]
        await asyncio.gather(*(connection.wait_closed() for connection in alive))
        assert {connection.close_code for connection in alive} == {CloseCode.GOING_AWAY}
    assert not any(map(runs, workers))


async def test_a_signal_to_all_counts_once_and_workers_end_with_whoever_started_them(
    embedded: BrokerUnderTest, processes: Processes
) -> None:
    service = await start(processes, embedded, drain_seconds=3_600)
    workers = workers_of(service)
    assert len(workers) == 2
    killpg(service.process.pid, signal.SIGTERM)  # as `tickcast run` does
    draining = lambda: service.get("/health/ready")[0] == 503  # noqa: E731
    await asyncio.to_thread(service.wait_for, draining, what="no longer being ready")
    assert await statuses_of(service, 100) == {200, 503}
    await asyncio.to_thread(service.kill)
    async with asyncio.timeout(DEADLINE_SECONDS):
        while any(map(runs, workers)):
            await asyncio.sleep(0.05)
