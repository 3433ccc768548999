"""Two gateways as processes, and the Redis that they share."""

import itertools
from typing import Any

import httpx
import pytest
from redis import Redis, RedisError

from schemas.broker import wait_until
from tests.brokers import BrokerUnderTest
from tests.gateway.samples import prediction
from tests.processes import Processes, ServiceProcess, free_port
from tests.redis import RedisServer

BURST = 40
SLICE = BURST // 2
SECONDS = 120.0


class Gateways:
    """Two of one deployment, asked in turn."""

    def __init__(self, processes: Processes, broker: BrokerUnderTest, redis: RedisServer) -> None:
        self._redis, self._prefix = redis, broker.topic_prefix
        limits = {"limit_requests": True, "limit_client_burst": BURST, "limit_client_per_second": 0.001}
        self._services = [self._start(processes, broker, redis_url=redis.url, **limits) for _ in range(2)]
        for service in self._services:
            service.wait_until_healthy(path="/health/ready")
        self._ports = itertools.cycle(service.health_port for service in self._services)
        self._client = httpx.Client(timeout=SECONDS)

    def _start(self, processes: Processes, broker: BrokerUnderTest, **settings: Any) -> ServiceProcess:
        port = free_port()
        return processes.start(
            "gateway", environment=broker.environment(gateway_port=port, metrics_port=port, **settings)
        )

    def ask(self, times: int) -> int:
        """Ask so often, and count what is answered; what is not is one too many, and nothing else."""
        statuses = [self._client.get(f"http://127.0.0.1:{next(self._ports)}/predict/AAPL") for _ in range(times)]
        assert {answer.status_code for answer in statuses} <= {200, 429}
        return sum(answer.status_code == 200 for answer in statuses)

    def wait_until_both_know_both(self) -> None:
        """Wait until each has told Redis that it is there, and read the names, after both were there."""
        with Redis.from_url(self._redis.url) as client:
            both_since = [0.0]

            def known() -> bool:
                try:
                    said: list[Any] = client.zrange(f"tickcast:{self._prefix}:gateways", 0, -1, withscores=True)
                except RedisError:
                    return False
                if len(said) == 2 and not both_since[0]:
                    both_since[0] = max(score for _, score in said)
                return len(said) == 2 and all(score > both_since[0] for _, score in said)

            wait_until(known, seconds=SECONDS, what="both gateways knowing of both")


@pytest.mark.slow
def test_two_gateways_hold_one_limit_and_go_on_while_redis_dies_and_comes_back(
    embedded: BrokerUnderTest, processes: Processes, redis: RedisServer
) -> None:
    embedded.produce("predictions-latest", prediction("AAPL", 1), key="AAPL")
    gateways = Gateways(processes, embedded, redis)
    gateways.wait_until_both_know_both()
    given = 0

    def spent() -> bool:
        nonlocal given
        given += gateways.ask(4)
        return given >= BURST

    wait_until(spent, seconds=SECONDS, what="the burst being spent")
    given += gateways.ask(100)
    assert given <= BURST + SLICE
    redis.kill()
    given += gateways.ask(60)
    redis.start()
    gateways.wait_until_both_know_both()
    given += gateways.ask(60)
    assert given <= BURST + SLICE, "an outage is no second burst"
