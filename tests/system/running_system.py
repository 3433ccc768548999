"""The services on one broker, any of which can be killed and begun again."""

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx

from schemas.topics import Topic
from tests.brokers import BrokerUnderTest
from tests.processes import Processes, ServiceProcess
from tests.records import Record

READ_SECONDS = 180.0
SERVICES = ("gateway", "predictor", "feature_stream", "feature_stream.outcomes", "ingestor")


def _listens(service: ServiceProcess) -> bool:
    return service.get("/health")[0] != 0


@dataclass
class System:
    """A whole deployment of one test.

    Attributes:
        settings: By name, for all services.
    """

    broker: BrokerUnderTest
    processes: Processes
    gateway_port: int
    settings: dict[str, Any] = field(default_factory=dict)
    services: dict[str, ServiceProcess] = field(default_factory=dict)

    def start(self, name: str) -> ServiceProcess:
        """Start a service, or start it again."""
        self.services[name] = self.processes.start(name, environment=self.environment())
        return self.services[name]

    def environment(self) -> dict[str, str]:
        """Give the variables that every process of the deployment gets."""
        return self.broker.environment(gateway_port=self.gateway_port, **self.settings)

    def start_all(self) -> None:
        """Start all."""
        for name in SERVICES:
            self.start(name)

    def wait_until_all_listen(self) -> None:
        """Wait until each has begun."""
        for name, service in self.services.items():
            if name == "gateway":
                service.wait_for(lambda: self.answers("/health/live"), what="the gateway")
            else:
                service.wait_for(partial(_listens, service), what=f"{name} listening")

    def stop_all(self) -> None:
        """Stop all, politely."""
        for service in reversed(list(self.services.values())):
            assert service.stop() == 0, service.output()

    def announce_models(self) -> None:
        """Have the model set on disk serve."""
        announcing = self.processes.start("predictor.training", "ensure", environment=self.environment())
        assert announcing.wait() == 0, announcing.output()

    def get(self, path: str) -> Any:
        """Ask the gateway."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.gateway_port}{path}", timeout=READ_SECONDS) as answer:
            return json.load(answer)

    def post(self, path: str, body: Any) -> Any:
        """Ask the gateway with a body."""
        answer = httpx.post(f"http://127.0.0.1:{self.gateway_port}{path}", json=body, timeout=READ_SECONDS)
        answer.raise_for_status()
        return answer.json()

    def latest(self) -> dict[str, str]:
        """Give the id of each ticker's prediction at the gateway; nothing where it does not answer."""
        try:
            said = self.get("/predictions")["predictions"]
        except OSError:
            return {}
        return {prediction["ticker"]: prediction["id"] for prediction in said}

    def answers(self, path: str) -> bool:
        """Tell whether the gateway has an answer."""
        try:
            return bool(self.get(path))
        except OSError:
            return False

    def wait_for_count(
        self, count: int, topic: Topic, matches: Callable[[Record], bool] = lambda _: True
    ) -> list[Record]:
        """Wait until a topic holds records of so many different ids that match; give all that match."""

        def enough(records: list[Record]) -> bool:
            return len({record.event().id for record in records if matches(record)}) >= count

        return [record for record in self.broker.read(topic, enough, READ_SECONDS) if matches(record)]


def is_final(record: Record) -> bool:
    """Tell a final feature from a provisional one."""
    return bool(record.event().final)
