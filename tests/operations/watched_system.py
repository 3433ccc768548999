"""A whole deployment under load, and a Prometheus with the shipped rules that watches it."""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import yaml
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from schemas.events import Prediction
from schemas.topics import PREDICTIONS_LATEST
from tests.brokers import BrokerUnderTest, Server
from tests.gateway.samples import prediction
from tests.ingestor.providers.in_thread import AlpacaInThread, PolygonInThread
from tests.operations.scaled_rules import scaled
from tests.processes import Processes, free_port
from tests.prometheus import EVERY_SECONDS, SHIPPED, Prometheus, prometheus_server
from tests.redis import redis_server
from tests.system.running_system import SERVICES, System

#: Of the rules' time.
FACTOR = 1 / 20
#: A ticker of which nothing has come for so long, so that an age by ticker is shown; no alert fires of it.
FORGOTTEN, FORGOTTEN_SECONDS = "OLD", 600
#: What the live market has.
LIVE = "LIVE"
_LIVE_DAYS_PER_SECOND = 3
_TRAINER = "tests.system.kills.trainer"  # the real one, with trainings that take a second
_MODULES = {"outcomes": "feature_stream.outcomes", "recorder": "gateway.recorder", "trainer": _TRAINER}
_PATHS = (
    "/predictions",
    "/predict/AAPL",
    "/predict/NOSUCH",
    "/history/AAPL",
    "/bars/IBM",
    "/accuracy",
    "/health",
    "/nowhere/AAPL",
)


@dataclass(frozen=True)
class WatchedSystem:
    """Both, and since when there is load."""

    system: System
    prometheus: Prometheus
    market: "LiveMarket"
    loaded_at: float

    def wait_for_load(self, seconds: float = 120.0) -> None:
        """Return when there has been load for so long."""
        time.sleep(max(0.0, self.loaded_at + seconds - time.monotonic()))


def write_scaled_rules(folder: Path) -> list[Path]:
    """Write the shipped rules for a test's time, and say where."""
    files = []
    for file in sorted((SHIPPED / "rules").glob("*.yml")):
        rules = scaled(yaml.safe_load(file.read_text()), FACTOR, least_range_seconds=3 * EVERY_SECONDS)
        files.append(folder / file.name)
        files[-1].write_text(yaml.safe_dump(rules))
    return files


@contextmanager
def watched_system(kafka: Server, folder: Path) -> Iterator[WatchedSystem]:
    """Start all, and give it when predictions come; end all, by their ids.

    The replay plays three days a second, from 2010; beside it plays a live market with another one that is compared.
    There are two workers of the gateway, and a Redis.
    """
    with ExitStack() as after:
        broker = BrokerUnderTest(kafka)
        broker.create_topics()
        after.callback(broker.delete_topics)
        redis = after.enter_context(redis_server(folder))
        processes = Processes(folder)
        after.callback(processes.end_all)
        system = System(
            broker,
            processes,
            free_port(),
            {
                "models_directory": folder / "models",
                "artifact_store": folder / "store",
                "database_url": f"sqlite:///{folder}/history.db",
                "redis_url": redis.url,
                "gateway_workers": 2,
                "speed": _LIVE_DAYS_PER_SECOND,
                "loop": True,  # however long the tests take
            },
        )
        for module in (*SERVICES, _MODULES["recorder"], _TRAINER):
            system.start(module)
        market = after.enter_context(_live_market(system, folder))
        system.services["gateway"].wait_for(lambda: system.answers("/predict/AAPL"), what="a prediction of AAPL")
        broker.produce(PREDICTIONS_LATEST, _forgotten(), key=FORGOTTEN)
        after.enter_context(_visited(system))
        loaded_at = time.monotonic()
        prometheus = after.enter_context(prometheus_server(folder, _targets(system), write_scaled_rules(folder)))
        yield WatchedSystem(system, prometheus, market, loaded_at)


class LiveMarket:
    """Two local providers that tell a price each second.

    Attributes:
        lie: By what the second one multiplies it.
    """

    def __init__(self) -> None:
        self.lie = 1.0
        self.alpaca, self.polygon = AlpacaInThread(), PolygonInThread()

    def tell(self, gone: threading.Event) -> None:
        """Tell until it is over."""
        for number in itertools.count():
            if gone.wait(1.0):
                return
            for server, factor in ((self.alpaca, 1.0), (self.polygon, self.lie)):
                server.do(server.fake.send((LIVE, time.time_ns(), factor * (100.0 + number % 10 / 10), 1.0, number)))


@contextmanager
def _live_market(system: System, folder: Path) -> Iterator[LiveMarket]:
    """Let an ingestor play one provider and hear another one beside it."""
    market = LiveMarket()
    settings = system.settings | market.alpaca.settings(folder) | market.polygon.settings()
    settings |= {"tickers": LIVE, "interval": "1d", "loop": False, "source_compare": "polygon", "source_name": "live"}
    environment = system.broker.environment(gateway_port=system.gateway_port, **settings)
    system.services["live"] = system.processes.start("ingestor", environment=environment)
    gone = threading.Event()
    telling = threading.Thread(target=market.tell, args=(gone,))
    telling.start()
    try:
        yield market
    finally:
        gone.set()
        telling.join()
        for server in (market.alpaca, market.polygon):
            server.end()


def _forgotten() -> Prediction:
    return prediction(FORGOTTEN, ingested_at_ns=time.time_ns() - FORGOTTEN_SECONDS * 10**9)


def _targets(system: System) -> dict[str, str]:
    names = {module: service for service, module in _MODULES.items()}
    ports = {names.get(module, module): process.health_port for module, process in system.services.items()}
    ports["gateway"] = system.gateway_port
    return {service: f"127.0.0.1:{port}" for service, port in ports.items()}


@contextmanager
def _visited(system: System) -> Iterator[None]:
    """Let somebody ask all the while, and somebody listen."""
    gone = threading.Event()
    threads = [threading.Thread(target=work, args=(system, gone)) for work in (_ask, _listen)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        gone.set()
        for thread in threads:
            thread.join()


def _ask(system: System, gone: threading.Event) -> None:
    prices = {"recent_prices": [100.0 + step / 10 for step in range(40)]}
    with httpx.Client(base_url=f"http://127.0.0.1:{system.gateway_port}", timeout=10) as client:
        for path in itertools.cycle((*_PATHS, "")):
            if gone.wait(0.1):
                return
            with suppress(httpx.TransportError):
                if path:
                    client.get(path)
                else:
                    client.post("/predict", json=prices)


def _listen(system: System, gone: threading.Event) -> None:
    """Come back whenever the connection ends: the worker that got it may not have caught up yet."""
    while not gone.wait(0.5):
        with (
            suppress(OSError, WebSocketException),
            connect(f"ws://127.0.0.1:{system.gateway_port}/ws/predictions") as socket,
        ):
            socket.send('{"action": "subscribe", "tickers": ["*"]}')
            while not gone.is_set():
                with suppress(TimeoutError):
                    socket.recv(0.5)
