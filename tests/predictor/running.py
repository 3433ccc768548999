"""A predictor in a thread of the test, with sets that the test loads."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from confluent_kafka import Consumer, TopicPartition
from msgspec import structs
from prometheus_client import CollectorRegistry

from predictor.artifacts import ModelSet, UnfitModelSetError
from predictor.figures import Figures
from predictor.saving import model_event
from predictor.settings import PredictorSettings
from predictor.worker import Worker
from schemas.broker import wait_until
from schemas.events import ModelAction, ModelEvent, ServiceState
from schemas.status import StatusBoard
from schemas.topics import FEATURES
from tests.brokers import BrokerUnderTest

STARTED_SECONDS = 120.0


class RunningPredictor:
    """One worker and how it fares."""

    def __init__(self, broker: BrokerUnderTest, sets: tuple[ModelSet, ...] = ()) -> None:
        self._by_name = {each.manifest.model_set: each for each in sets}
        self.registry = CollectorRegistry()
        self.board = StatusBoard("predictor", "test")
        self.error: BaseException | None = None
        settings = broker.settings(PredictorSettings, shadow_budget_ms=60_000)  # no test fails on a busy machine
        figures = Figures(self.board, self.registry)
        self.worker = Worker(settings, self._load, self.board, figures, self._load_challenger)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="predictor")

    def _load(self, event: ModelEvent) -> ModelSet:
        return self._find(event.serving)

    def _load_challenger(self, event: ModelEvent) -> ModelSet:
        return self._find(event.challenger)

    def _find(self, name: str | None) -> ModelSet:
        if name not in self._by_name:
            raise UnfitModelSetError(f"model set {name} is not there")
        return self._by_name[name]

    def forget(self, name: str) -> None:
        """Let its loader find a set no more."""
        del self._by_name[name]

    def _run(self) -> None:
        try:
            self.worker.run(self._stop.is_set)
        except BaseException as error:
            self.error = error

    def start(self) -> None:
        self._thread.start()

    def wait_until_caught_up(self) -> None:
        settled = (ServiceState.READY, ServiceState.DEGRADED)
        wait_until(lambda: self.board.state in settled or self.error is not None, seconds=STARTED_SECONDS, what="start")
        assert self.error is None

    def wait_until_dead(self) -> BaseException:
        self._thread.join(STARTED_SECONDS)
        assert self.error is not None
        return self.error

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(STARTED_SECONDS)
        assert not self._thread.is_alive()

    def counted(self, metric: str, **labels: str) -> float:
        return self.registry.get_sample_value(metric, labels) or 0.0


@contextmanager
def running(
    broker: BrokerUnderTest, *sets: ModelSet, before: Callable[[RunningPredictor], None] = lambda _: None
) -> Iterator[RunningPredictor]:
    """Run a predictor for the length of a block.

    Args:
        sets: What its loader finds.
        before: Changes something before it starts.
    """
    predictor = RunningPredictor(broker, sets)
    before(predictor)
    predictor.start()
    try:
        yield predictor
    finally:
        predictor.stop()


def announce(broker: BrokerUnderTest, model_set: ModelSet, now_ns: int = 1, **changes: Any) -> None:
    """Say on `models` that a set serves; more of the event by name."""
    event = model_event(model_set.manifest, model_set.folder, ModelAction.TRAINED, "test", "", now_ns)
    event = structs.replace(event, **changes)
    broker.produce("models", event, key=model_set.manifest.model_set)


def committed_records(broker: BrokerUnderTest) -> int:
    """Count the features that the group has committed, over all partitions."""
    settings = broker.settings(PredictorSettings)
    consumer = Consumer({"bootstrap.servers": broker.bootstrap_servers, "group.id": settings.consumer_group})
    try:
        name = broker.full_name(FEATURES)
        partitions = [TopicPartition(name, number) for number in broker.ends(FEATURES)]
        return sum(max(0, each.offset) for each in consumer.committed(partitions, timeout=60))
    finally:
        consumer.close()
