"""One tick followed through all services, to a client: one trace, in the spans and in the logs."""

import json
from typing import Any

import pytest
from websockets.sync.client import connect

from schemas.topics import FEATURES, PREDICTIONS_LATEST, TICKS
from tests.brokers import BrokerUnderTest
from tests.collector import Collector, Received, collector
from tests.processes import Processes, free_port
from tests.system.running_system import System

pytestmark = [pytest.mark.integration, pytest.mark.slow]

_SERVICES = ("gateway", "predictor", "feature_stream", "ingestor")
#: From the tick to the client: the service, its hop, and the topic that it reads or writes.
_CHAIN = (
    ("ingestor", "send ticks", TICKS),
    ("feature_stream", "process ticks", TICKS),
    ("predictor", "process features", FEATURES),
    ("gateway", "process predictions-latest", PREDICTIONS_LATEST),
    ("gateway", "deliver prediction", None),
)


class Traced(System):
    """A system whose spans go to a collector."""

    def __init__(self, broker: BrokerUnderTest, processes: Processes, to: Collector, **settings: Any) -> None:
        super().__init__(broker, processes, free_port(), settings)
        self.collector = to

    def environment(self) -> dict[str, str]:
        """Give the variables that every process gets."""
        return super().environment() | self.collector.environment()

    def records(self, name: str) -> list[dict[str, Any]]:
        """Give the JSON log records of a service."""
        return [json.loads(line) for line in self.services[name].output().splitlines() if line.startswith("{")]


def chain_to(last: Received, spans: list[Received]) -> list[Received]:
    """Give a span and those before it, the first one first."""
    by_id = {span.span_id: span for span in spans}
    chain = [last]
    while (parent := by_id.get(chain[0].parent_id)) is not None:
        chain.insert(0, parent)
    return chain


def test_a_tick_is_followed_from_the_ingestor_to_the_client_and_a_collector_that_goes_away_stops_nobody(
    kafka: BrokerUnderTest, processes: Processes
) -> None:
    simulated = {"source": "simulated", "ticker_count": 2, "rate_per_second": 20, "interval": "1m"}
    with collector() as ours:
        system = Traced(
            kafka, processes, ours, **simulated, traces="otlp", traces_ratio=1, log_format="json", log_level="info"
        )
        for name in _SERVICES:
            system.start(name)
        gateway = system.services["gateway"]
        gateway.wait_for(lambda: system.answers("/predictions"), what="a prediction")
        with connect(f"ws://127.0.0.1:{system.gateway_port}/ws/predictions") as socket:
            socket.send(json.dumps({"action": "subscribe", "tickers": ["*"]}))
            chain = _whole_chain(ours, gateway)
    assert [(span.service, span.name) for span in chain] == [(service, name) for service, name, _ in _CHAIN]
    assert {span.trace_id for span in chain} == {chain[0].trace_id}
    assert len({span.span_id for span in chain}) == len(chain)
    assert chain[0].parent_id == ""
    assert [span.start_ns for span in chain[1:]] == sorted(span.start_ns for span in chain[1:])
    assert len({span.attributes["tickcast.ticker"] for span in chain[1:]}) == 1
    for span, (_, _, topic) in zip(chain, _CHAIN, strict=True):
        if topic is not None:
            assert span.attributes["messaging.destination.name"] == kafka.full_name(topic)
            _assert_it_names_its_record(kafka, span, topic.name)
    for service, name, _ in _CHAIN:
        said = {(each.get("span"), each.get("trace_id")) for each in system.records(service)}
        assert (name, chain[0].trace_id) in said
    system.stop_all()  # each with code 0, though nobody takes their spans any more


def _whole_chain(ours: Collector, gateway: Any) -> list[Received]:
    """Wait for a delivery whose trace leads back to a tick."""
    found: list[list[Received]] = []

    def arrived() -> bool:
        spans = list(ours.spans)
        chains = [chain_to(span, spans) for span in spans if span.name == "deliver prediction"]
        found[:] = [chain for chain in chains if len(chain) == len(_CHAIN)]
        return bool(found)

    gateway.wait_for(arrived, what="a delivery with all that led to it")
    return found[0]


def _assert_it_names_its_record(kafka: BrokerUnderTest, span: Received, topic: str) -> None:
    place = int(str(span.attributes["messaging.destination.partition.id"])), span.attributes["messaging.kafka.offset"]
    [record] = [each for each in kafka.read(topic) if (each.partition, each.offset) == place]
    trace_id, span_id = record.headers["traceparent"].decode().split("-")[1:3]
    assert trace_id == span.trace_id
    assert span_id == (span.parent_id or span.span_id)
