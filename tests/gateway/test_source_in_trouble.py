"""Nothing comes from the source although it should: predictions say so, and how old they are, until it ticks again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from schemas.events import OLD_MODELS, ServiceState
from tests.brokers import BrokerUnderTest
from tests.gateway.samples import NOON_NS, make_parts, prediction, status
from tests.gateway.web import client_of
from tests.ingestor.providers.in_thread import AlpacaInThread
from tests.processes import Processes, free_port

_SAID = "source: in trouble, see /health; the last known prediction"


@pytest.mark.parametrize(
    ("said_by_the_predictor", "degraded"),
    [(None, _SAID), (OLD_MODELS, f"{_SAID}; {OLD_MODELS}"), ("without lstm", "without lstm")],
)
@pytest.mark.parametrize("path", ["/predict/AAPL", "/predict/aapl?horizon=5", "/predictions", "/predictions?limit=1"])
async def test_the_last_known_is_given_with_its_age_until_the_source_is_well(
    path: str, said_by_the_predictor: str | None, degraded: str
) -> None:
    parts = make_parts(prediction("AAPL", 1, degraded=said_by_the_predictor))
    parts.predictions.newest_ns = NOON_NS - 7 * 10**9
    async with client_of(parts) as client:
        well = (await client.get(path)).json()
        parts.services.accept(status("ingestor", state=ServiceState.DEGRADED, message="no ticks"), NOON_NS)
        answer = await client.get(path)
        body = answer.json()
        assert (answer.headers["age"], body["age_seconds"], "etag" in answer.headers) == ("7", 7.0, False)
        assert [one["degraded"] for one in body.get("predictions", [body])] == [degraded]
        parts.services.accept(status("ingestor"), NOON_NS)
        assert (await client.get(path)).json() == well
    assert [one["degraded"] for one in well.get("predictions", [well])] == [said_by_the_predictor]


@pytest.mark.parametrize("state", [ServiceState.ENDED, ServiceState.STARTING, ServiceState.STOPPING])
async def test_a_source_that_has_ended_or_only_begins_is_no_trouble(state: ServiceState) -> None:
    parts = make_parts(prediction("AAPL", 1))
    parts.services.accept(status("predictor", state=ServiceState.DEGRADED), NOON_NS)
    parts.services.accept(status("ingestor", state=state), NOON_NS)
    async with client_of(parts) as client:
        body = (await client.get("/predict/AAPL")).json()
    assert (body["degraded"], "age_seconds" in body) == (None, False)


async def test_kafka_that_is_away_is_said_first() -> None:
    parts = make_parts(prediction("AAPL", 1))
    parts.services.accept(status("ingestor", state=ServiceState.DEGRADED), NOON_NS)
    parts.board.set_state(ServiceState.DEGRADED, "Kafka is not answering")
    async with client_of(parts) as client:
        assert (await client.get("/predict/AAPL")).json()["degraded"].startswith("kafka: ")


@pytest.mark.integration
def test_a_live_market_that_refuses_is_seen_over_rest_and_so_is_its_return(
    embedded: BrokerUnderTest, processes: Processes, tmp_path: Path
) -> None:
    alpaca = AlpacaInThread()
    port = free_port()
    embedded.produce("predictions-latest", prediction("AAPL", 1), key="AAPL")
    try:
        gateway = processes.start("gateway", environment=embedded.environment(gateway_port=port, metrics_port=port))
        ingestor = processes.start("ingestor", environment=embedded.environment(**alpaca.settings(tmp_path)))
        for service in (gateway, ingestor):
            service.wait_until_healthy()

        def asked(path: str) -> Any:
            return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=60).json()

        def says(degraded: str | None) -> Callable[[], bool]:
            return lambda: bool(asked("/predict/AAPL")["degraded"] == degraded)

        gateway.wait_for(lambda: "ingestor" in asked("/health")["services"], what="hearing of the ingestor")
        gateway.wait_for(says(None), what="a source that is well")
        alpaca.fake.error = (406, "connection limit exceeded")
        alpaca.do(alpaca.fake.drop())
        gateway.wait_for(says(_SAID), what="noticing the trouble")
        health = asked("/health")
        assert (health["status"], health["services"]["ingestor"]["state"]) == ("degraded", "degraded")
        assert "alpaca" in health["services"]["ingestor"]["message"]
        alpaca.fake.error = None
        gateway.wait_for(says(None), what="its return")
        assert asked("/health")["status"] == "healthy"
    finally:
        alpaca.end()
