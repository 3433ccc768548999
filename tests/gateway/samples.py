"""Predictions and parts to test with."""

import tempfile
import time
import uuid
from dataclasses import dataclass
from typing import Any

from msgspec import Struct
from prometheus_client import CollectorRegistry

from gateway.entries import Entry
from gateway.instruments import Instruments
from gateway.parts import Parts
from gateway.settings import GatewaySettings
from schemas.codec import encode
from schemas.events import (
    Bar,
    BarSoFar,
    Direction,
    HorizonPrediction,
    MemberHorizon,
    MemberPrediction,
    ModelAction,
    ModelEvent,
    ModelMember,
    Prediction,
    PriceRange,
    ServiceState,
    ServiceStatus,
)
from schemas.status import StatusBoard

_DATABASES = tempfile.TemporaryDirectory(prefix="tickcast-databases-")
DAY_NS = 86_400_000_000_000
NOON_NS = 1_704_110_400_000_000_000  # 2024-01-01T12:00:00Z


def horizon(bars: int = 1, **changes: Any) -> HorizonPrediction:
    values: dict[str, Any] = {
        "horizon": bars,
        "target_time_ns": NOON_NS + bars * DAY_NS,
        "log_return": 0.0328 * bars,
        "percent": 3.33 * bars,
        "price_target": 150.0 + 5.0 * bars,
        "direction": Direction.BULLISH,
        "confidence": 0.75,
        "interval_95": PriceRange(140.0, 170.0),
    }
    return HorizonPrediction(**values | changes)


def prediction(ticker: str = "AAPL", offset: int = 0, **changes: Any) -> Prediction:
    member = MemberHorizon(horizon=1, log_return=0.03, spread=0.02, confidence=0.75, weight=0.4)
    values: dict[str, Any] = {
        "id": f"{ticker}/{offset}",
        "feature_id": f"{ticker}:1d:{offset}",
        "ticker": ticker,
        "interval": "1d",
        "as_of_ns": NOON_NS,
        "current_price": 150.0,
        "bar_index": 300,
        "horizons": [horizon(1), horizon(5), horizon(21)],
        "models": [MemberPrediction(name="random_forest", version="1", horizons=[member])],
        "model_set": "set-1",
        "weights_version": "prior",
        "intervals_version": "prior",
        "provisional": False,
        "in_sample": False,
        "source_partition": 0,
        "source_offset": offset,
        "ingested_at_ns": NOON_NS + 1_000_000,
        "featured_at_ns": NOON_NS + 2_000_000,
        "predicted_at_ns": NOON_NS + 3_500_000,
        "bar": BarSoFar(
            start_ns=NOON_NS, end_ns=NOON_NS + DAY_NS, open=1, high=2, low=0.5, close=1.5, volume=9, tick_count=4
        ),
    }
    return Prediction(**values | changes)


def status(service: str = "predictor", instance: str = "one", **changes: Any) -> ServiceStatus:
    values: dict[str, Any] = {
        "service": service,
        "instance": instance,
        "version": "0.1.0",
        "state": ServiceState.READY,
        "started_at_ns": NOON_NS,
        "updated_at_ns": NOON_NS,
        "memory_bytes": 1_000,
    }
    return ServiceStatus(**values | changes)


def model_member(**changes: Any) -> ModelMember:
    values: dict[str, Any] = {
        "name": "random_forest",
        "version": "1",
        "file": "random_forest.onnx",
        "sha256": "0" * 64,
        "prior_weight": 0.4,
        "training_seconds": 3.5,
    }
    return ModelMember(**values | changes)


def model_event(model_set: str = "set-1", decided_at_ns: int = NOON_NS, **changes: Any) -> ModelEvent:
    values: dict[str, Any] = {
        "id": f"{model_set}@{decided_at_ns}",
        "model_set": model_set,
        "action": ModelAction.TRAINED,
        "serving": model_set,
        "location": "/somewhere",
        "interval": "1d",
        "horizons": [1, 5, 21],
        "feature_version": "1",
        "train_start_ns": NOON_NS - 100 * DAY_NS,
        "train_end_ns": NOON_NS - DAY_NS,
        "members": [],
        "decided_by": "trainer",
        "reason": "first training",
        "decided_at_ns": decided_at_ns,
    }
    return ModelEvent(**values | changes)


def settings(**changes: Any) -> GatewaySettings:
    quiet: dict[str, Any] = {
        "gateway_port": 0,
        "heartbeat_seconds": 3_600.0,  # no heartbeat comes between the messages that a test waits for
        "token_key": "a key of the tests, which is as long as it has to be",
        "database_url": f"sqlite:///{_DATABASES.name}/{uuid.uuid4()}.db",
    }
    return GatewaySettings(_env_file=None, instance="test", **(quiet | changes))


def make_parts(*predictions: Prediction, caught_up: bool = True, **changes: Any) -> Parts:
    """Give parts that hold predictions; `changes` are settings."""
    parts = Parts(
        settings=settings(**changes),
        board=StatusBoard("gateway", "test"),
        instruments=Instruments(CollectorRegistry()),
        clock_ns=lambda: NOON_NS,
    )
    for given in predictions:
        publish(parts, given)
    parts.latest.caught_up = caught_up
    return parts


def publish(parts: Parts, given: Prediction, seq: int | None = None) -> Entry:
    """Do what the intake does with a new prediction; its offset is that of its source, unless another is given."""
    entry = parts.latest.accept(given, given.source_offset if seq is None else seq)
    assert entry is not None
    parts.predictions.publish(
        entry, given.source_partition, recorded_ns=NOON_NS, now_ns=NOON_NS, now_s=time.monotonic()
    )
    return entry


def bar(ticker: str = "AAPL", offset: int = 0, **changes: Any) -> Bar:
    values: dict[str, Any] = {
        "id": f"{ticker}/{offset}",
        "ticker": ticker,
        "interval": "1d",
        "start_ns": NOON_NS,
        "end_ns": NOON_NS + DAY_NS,
        "open": 1.0,
        "high": 2.0,
        "low": 0.5,
        "close": 1.5,
        "volume": 9.0,
        "tick_count": 4,
        "bar_index": 300,
        "source": "replay",
        "source_partition": 0,
        "source_offset": offset,
        "ingested_at_ns": NOON_NS + 1_000_000,
        "closed_at_ns": NOON_NS + 2_000_000,
    }
    return Bar(**values | changes)


def publish_bar(parts: Parts, given: Bar) -> None:
    """Do what the intake does with a new bar."""
    entry = parts.bars.view.accept(given, given.source_offset)
    assert entry is not None
    parts.bars.publish(entry, given.source_partition, recorded_ns=NOON_NS, now_ns=NOON_NS, now_s=time.monotonic())


@dataclass(frozen=True)
class SampleRecord:
    """A record as the Kafka client gives it."""

    offset: int
    value: bytes
    partition: int = 0
    key: bytes | None = None
    timestamp: int = NOON_NS // 1_000_000
    headers: tuple[tuple[str, bytes], ...] = ()


def record_of(event: Struct, offset: int) -> SampleRecord:
    """Give the record of an event."""
    return SampleRecord(offset, encode(event))
