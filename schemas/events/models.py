"""Which models serve, who decided it and why, and what people ask of them."""

from enum import StrEnum

from msgspec import Struct

from schemas.times import Interval


class HoldOutScore(Struct, frozen=True, kw_only=True):
    """Accuracy of one forecaster on one horizon of the hold-out, in log return."""

    horizon: int
    count: int
    mean_absolute_error: float
    root_mean_squared_error: float
    hit_rate: float | None = None


class ModelMember(Struct, frozen=True, kw_only=True):
    """One model of a set. `hold_out` stands beside the no-change forecast's in `ModelEvent.baselines`."""

    name: str
    version: str
    file: str
    sha256: str
    prior_weight: float
    training_seconds: float
    hold_out: list[HoldOutScore] = []
    feature_importance: dict[str, float] = {}


class ModelAction(StrEnum):
    """What happened to a model set."""

    ANNOUNCED = "announced"
    TRAINED = "trained"
    PROMOTED = "promoted"
    ROLLED_BACK = "rolled_back"
    UNLOADED = "unloaded"
    REJECTED = "rejected"


class ModelEvent(Struct, frozen=True, kw_only=True):
    """The whole serving state after a decision; the newest in the topic holds.

    Attributes:
        model_set: Name of the set that this event is about, the record's key.
        serving: The set that serves from now on; null: none, the statistical forecaster answers.
        location: Folder of the serving set, where its manifest lies.
        challenger: A set that is shown beside it and does not count.
        train_end_ns: Close of the last bar that training has seen.
        hold_out: The ensemble's scores on the hold-out; each member's stand with it.
        baselines: Hold-out scores of forecasters without skill, by name.
    """

    id: str
    model_set: str
    action: ModelAction
    serving: str | None
    location: str | None
    interval: Interval
    horizons: list[int]
    feature_version: str
    train_start_ns: int
    train_end_ns: int
    members: list[ModelMember]
    decided_by: str
    reason: str
    decided_at_ns: int
    challenger: str | None = None
    challenger_location: str | None = None
    hold_out: list[HoldOutScore] = []
    baselines: dict[str, list[HoldOutScore]] = {}
    tickers: list[str] = []


class CommandAction(StrEnum):
    """What a model command asks for."""

    RETRAIN = "retrain"
    LOAD = "load"
    UNLOAD = "unload"
    ROLLBACK = "rollback"


class ModelCommand(Struct, frozen=True, kw_only=True):
    """A wish of a person, a schedule or a drift detector; the trainer answers it."""

    id: str
    action: CommandAction
    requested_by: str
    requested_at_ns: int
    scope: str = "*"
    model_set: str | None = None
    reason: str = ""


class SourceAction(StrEnum):
    """What a source command asks for."""

    ADD = "add"
    REMOVE = "remove"
    PAUSE = "pause"
    RESUME = "resume"


class SourceCommand(Struct, frozen=True, kw_only=True):
    """A change of what an ingestor plays; an empty list of tickers means all of the source's."""

    id: str
    source: str
    action: SourceAction
    requested_by: str
    requested_at_ns: int
    tickers: list[str] = []
