"""Which models serve, who decided it and why, and what people ask of them."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

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
    LOADED = "loaded"
    CHALLENGED = "challenged"


class RetrainKind(StrEnum):
    """What is trained: the same recipe on later data, or another recipe."""

    REFRESH = "refresh"
    CHANGE = "change"


class ModelRole(StrEnum):
    """What a set is loaded as: to serve, or to be shown beside the one that does."""

    SERVING = "serving"
    CHALLENGER = "challenger"


class ModelEvent(Struct, frozen=True, kw_only=True):
    """The whole serving state after a decision; the newest in the topic holds.

    `members`, `train_start_ns`, `train_end_ns`, `hold_out`, `baselines` and `tickers` are the serving set's; where none
    serves, those of `model_set`.

    Attributes:
        model_set: Name of the set that this event is about, the record's key.
        serving: The set that serves from now on; null: none, the statistical forecaster answers.
        location: Folder of the serving set, where its manifest lies; who cannot see it asks the artifact store.
        challenger: A set that is shown beside it and does not count.
        train_end_ns: Close of the last bar that training has seen.
        hold_out: The ensemble's scores on the hold-out; each member's stand with it.
        baselines: Hold-out scores of forecasters without skill, by name.
        manifest_sha256: Of the serving set's manifest, under which the artifact store has it; null in older events.
        challenger_sha256: Likewise of the challenger's.
        challenger_share: Of the tickers, by a hash of their names: there the challenger is served and the other shown.
        command_id: The command that this answers; null where nobody asked.
        numbers: What the decision was made on, by name, like `error_ratio` and `p_value`.
        failed: Of a rejection: what was asked for came to no answer, like a training that broke off.
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
    manifest_sha256: str | None = None
    challenger_sha256: str | None = None
    challenger_share: Annotated[float, Meta(ge=0, le=1)] = 0.0
    command_id: str | None = None
    numbers: dict[str, float] = {}
    failed: bool = False


class CommandAction(StrEnum):
    """What a model command asks for."""

    RETRAIN = "retrain"
    LOAD = "load"
    UNLOAD = "unload"
    ROLLBACK = "rollback"


class ModelCommand(Struct, frozen=True, kw_only=True):
    """A wish of a person, a schedule or a drift detector; the trainer answers it.

    Attributes:
        scope: `*`; models are pooled, so a ticker's retrain is the set's.
        model_set: What to load; null unloads, or rolls back, what serves now.
        kind: Of a retrain.
        parameters: Of a change, by model and name, as `predictor search` writes them; empty: the defaults.
        role: Of a load or an unload.
        share: Of a load as challenger: the tickers on which it is served.
        evidence: What led to it, in words and numbers, by name.
    """

    id: str
    action: CommandAction
    requested_by: str
    requested_at_ns: int
    scope: str = "*"
    model_set: str | None = None
    reason: str = ""
    kind: RetrainKind = RetrainKind.REFRESH
    parameters: dict[str, dict[str, float | int | None]] = {}
    role: ModelRole = ModelRole.SERVING
    share: Annotated[float, Meta(ge=0, le=1)] = 0.0
    evidence: dict[str, str] = {}


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
