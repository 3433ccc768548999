"""One replay through ingestor, stage and predictor, and all that it said."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from feature_stream.table import is_partition_key
from schemas.events import ModelEvent
from schemas.partitioning import partition_of
from schemas.times import Interval
from schemas.topics import (
    BARS,
    DEAD_LETTERS,
    FEATURE_STAGE,
    FEATURES,
    MODELS,
    PREDICTIONS,
    PREDICTIONS_LATEST,
    TICKER_STATES_CHANGELOG,
    TICKS,
)
from tests.brokers import BrokerUnderTest, Server
from tests.chaos.contents import Said, SaidFeatures, SaidPredictions, said_bars, said_features, said_predictions
from tests.chaos.log_reading import has_absorbed, records_of
from tests.chaos.market import SPEED
from tests.chaos.members import Member
from tests.chaos.plan import INGESTOR, PREDICTOR, SESSION_SECONDS, WORKER
from tests.chaos.states import KeptStates, kept_states
from tests.processes import Processes

PARTITIONS = 4
INTERVAL: Interval = "1m"


@dataclass(frozen=True)
class Replay:
    """A deployment of its own on a broker; the file and the models are common to all."""

    broker: BrokerUnderTest
    processes: Processes
    file: Path
    models_directory: Path

    @classmethod
    def begin(cls, server: Server, processes: Processes, file: Path, models: ModelEvent) -> "Replay":
        """Make the topics and announce the models."""
        broker = BrokerUnderTest(server, partitions=PARTITIONS, interval=INTERVAL)
        broker.create_topics()
        broker.produce(MODELS, models, key=models.model_set)
        return cls(broker, processes, file, Path(models.location or "").parent)

    def ingestor(self, *, speed: float = SPEED) -> Member:
        """Make the ingestor."""
        return self._member(INGESTOR, "ingestor", source=f"file:{self.file}", speed=speed)

    def worker(self, name: str) -> Member:
        """Make a worker of the stage; every second one keeps its state on disk, where that is installed."""
        on_disk = int(name.rpartition("-")[2]) % 2 == 0 and find_spec("rocksdb") is not None
        return self._member(
            name,
            "feature_stream",
            state_store="rocksdb" if on_disk else "memory",
            update_interval_ms=1_000,
            session_timeout_seconds=SESSION_SECONDS,
            data_directory=self.processes.folder / "state",
        )

    def predictor(self) -> Member:
        """Make the predictor."""
        return self._member(PREDICTOR, "predictor", models_directory=self.models_directory)

    def _member(self, name: str, module: str, **settings: Any) -> Member:
        environment = self.broker.environment(instance=name, **settings)
        return Member(name, module, self.processes, environment)

    def is_absorbed(self) -> bool:
        """Tell whether all that is in `ticks` is kept, and all that is in `features` predicted."""
        prefix = self.broker.topic_prefix
        return has_absorbed(self.broker, f"{prefix}{FEATURE_STAGE}", TICKS) and has_absorbed(
            self.broker, f"{prefix}{PREDICTOR}", FEATURES
        )

    def said(self) -> "SaidByReplay":
        """Read all that was said."""
        return SaidByReplay(
            bars=said_bars(records_of(self.broker, BARS)),
            features=said_features(records_of(self.broker, FEATURES)),
            predictions=said_predictions(records_of(self.broker, PREDICTIONS)),
            latest=said_predictions(records_of(self.broker, PREDICTIONS_LATEST)),
            states=kept_states(records_of(self.broker, TICKER_STATES_CHANGELOG)),
            dead_letters=self._dead_letters(),
        )

    def _dead_letters(self) -> dict[str, tuple[bytes, str]]:
        letters: dict[str, tuple[bytes, str]] = {}
        for record in records_of(self.broker, DEAD_LETTERS):
            headers = dict(record.headers())
            name = headers["dead_letter_id"].decode()
            content = (record.value(), headers["dead_letter_reason"].decode())
            assert letters.setdefault(name, content) == content, f"dead letter {name} has two contents"
        return letters


@dataclass(frozen=True)
class SaidByReplay:
    """All that a replay said and kept."""

    bars: Said
    features: SaidFeatures
    predictions: SaidPredictions
    latest: SaidPredictions
    states: KeptStates
    dead_letters: dict[str, tuple[bytes, str]]

    def homes(self) -> Mapping[bytes, int]:
        """Give the partition of each key that was kept."""
        keys = self.states.newest
        return {key: int(key[1:]) if is_partition_key(key) else partition_of(key.decode(), PARTITIONS) for key in keys}


__all__ = ["WORKER", "Replay", "SaidByReplay"]
