"""The responses of `/health` and `/models/status`, for `/docs`."""

from typing import Literal

from pydantic import Field

from gateway.documents import Document, Integer, Time
from schemas.events import ModelAction, ServiceState
from schemas.times import Interval


class CommandDocument(Document):
    """A command that a service is carrying out."""

    id: str
    action: str
    state: str
    progress: float
    message: str


class InstanceDocument(Document):
    """The last report of one instance of a service."""

    instance: str
    state: ServiceState
    message: str
    version: str
    started_at: Time
    updated_at: Time
    age_seconds: float = Field(description="Of this report")
    memory_bytes: Integer
    lag_records: Integer | None
    rates: dict[str, float]
    latency_seconds: dict[str, float]
    commands: list[CommandDocument]


class ServiceDocument(Document):
    """A service: the state of its worst instance, and all its instances."""

    state: ServiceState
    message: str
    version: str
    age_seconds: float = Field(description="Of the newest report")
    instances: list[InstanceDocument]


class AliveDocument(Document):
    """The gateway runs."""

    status: Literal["alive"]


class ReadyDocument(Document):
    """The gateway can answer, and wants requests."""

    status: Literal["ready"]


class RedisDocument(Document):
    """Whether the Redis that gateways share answers; without it each goes on alone."""

    state: Literal["up", "away"]
    since: Time


class HealthDocument(Document):
    """The gateway can answer; the states of all services are under `services`."""

    status: Literal["healthy", "degraded"] = Field(description="degraded: some service, or this one, is not well")
    version: str
    state: ServiceState
    message: str
    tickers: Integer
    websocket_clients: Integer
    timestamp: Time
    services: dict[str, ServiceDocument]
    redis: RedisDocument | None = Field(None, description="null: none is configured")


class ScoreDocument(Document):
    """Accuracy for one horizon on the hold-out data, in log return."""

    horizon: Integer
    count: Integer
    mean_absolute_error: float
    root_mean_squared_error: float
    hit_rate: float | None


class ModelDocument(Document):
    """One model of a model set."""

    name: str
    version: str
    file: str
    sha256: str
    prior_weight: float
    training_seconds: float
    hold_out: list[ScoreDocument]
    feature_importance: dict[str, float]


class ModelsDocument(Document):
    """Which models serve, how they are, who decided it, and their accuracy on the hold-out data. Until a model set is
    announced, `serving` is null, `message` says so, and there is no decision."""

    loaded: bool = Field(description="A set serves")
    ready: bool = Field(description="A set serves, and the predictor is ready")
    predictor: ServiceState | None = Field(description="As it reported last; null: it has not reported")
    versions: dict[str, str] = Field(description="Of the members that serve")
    age_seconds: float | None = Field(description="Since it serves, by the clock")
    retrain_recommended: bool
    retrain_reasons: list[Literal["drift", "age"]]
    serving: str | None
    message: str | None = None
    model_set: str | None = None
    action: ModelAction | None = None
    reason: str | None = None
    decided_by: str | None = None
    decided_at: Time | None = None
    interval: Interval | None = None
    horizons: list[Integer] | None = None
    feature_version: str | None = None
    train_start: Time | None = None
    train_end: Time | None = None
    tickers: list[str] | None = None
    members: list[ModelDocument] | None = None
    hold_out: list[ScoreDocument] | None = Field(None, description="The ensemble's scores on the hold-out data")
    baselines: dict[str, list[ScoreDocument]] | None = None
    challenger: str | None = None


class TickerModelsDocument(ModelsDocument):
    """The same, and what answered for a ticker."""

    ticker: str
    note: str
    answered_by: str = Field(description="The set of its latest prediction")
    degraded: str | None
    in_training: bool = Field(description="The set was trained on this ticker, too")
    weights_version: str
    intervals_version: str
    weights: dict[str, float] = Field(description="Shares of the members in the latest prediction, shortest horizon")
    updated_at: Time
