"""A predictor in a thread of the test, with sets that the test loads."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from confluent_kafka import Consumer, TopicPartition
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
        settings = broker.settings(PredictorSettings)
        self.worker = Worker(settings, self._load, self.board, Figures(self.board, self.registry))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="predictor")

    def _load(self, event: ModelEvent) -> ModelSet:
        if event.serving not in self._by_name:
            raise UnfitModelSetError(f"model set {event.serving} is not there")
        return self._by_name[event.serving]

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


def announce(broker: BrokerUnderTest, model_set: ModelSet, now_ns: int = 1) -> None:
    """Say on `models` that a set serves."""
    event = model_event(model_set.manifest, model_set.folder, ModelAction.TRAINED, "test", "", now_ns)
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
