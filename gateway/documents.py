"""The responses of REST, for `/docs`. The bytes themselves are made elsewhere, once; a test compares the two."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from schemas.events import Direction, Origin
from schemas.times import Interval

Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$", description="RFC 3339, UTC")]
Integer = Annotated[int, Field(lt=2**53, gt=-(2**53))]


class Document(BaseModel):
    """Base of every response."""

    model_config = ConfigDict(extra="forbid")


class PriceRangeDocument(Document):
    """A prediction interval, as prices."""

    low: float
    high: float


class HorizonDocument(Document):
    """The ensemble's prediction for one horizon."""

    horizon: Integer = Field(description="Number of bars after the last closed one")
    target_time: Time
    price_target: float
    confidence: float
    direction: Direction
    log_return: float
    percent: float
    interval_95: PriceRangeDocument | None
    interval_99: PriceRangeDocument | None


class MemberHorizonDocument(Document):
    """One model's own prediction for one horizon."""

    horizon: Integer
    log_return: float
    spread: float | None = Field(description="Scale of the expected error, in log return; null if unknown")
    confidence: float
    weight: float


class MemberDocument(Document):
    """One model's own predictions."""

    name: str
    version: str
    horizons: list[MemberHorizonDocument]


class BarDocument(Document):
    """The current bar so far."""

    start: Time
    end: Time
    open: float
    high: float
    low: float
    close: float
    volume: float
    tick_count: Integer


class PredictionDocument(Document):
    """The latest prediction of a ticker; not investment advice."""

    ticker: str
    current_price: float
    prediction: HorizonDocument = Field(description="The prediction for the shortest horizon")
    timestamp: Time = Field(description="Market time of the prediction, RFC 3339, UTC")
    updated_at: Time = Field(description="Wall-clock time at which it was made, RFC 3339, UTC")
    id: str
    feature_id: str
    interval: Interval
    bar_index: Integer
    provisional: bool
    in_sample: bool
    degraded: str | None = Field(description="Why the full ensemble did not answer; null if it did")
    partial: bool
    origin: Origin
    horizons: list[HorizonDocument]
    models: list[MemberDocument]
    shadow: list[MemberDocument] | None
    bar: BarDocument | None
    model_set: str
    weights_version: str
    intervals_version: str
    source_partition: Integer
    source_offset: Integer
    ingested_at: Time
    featured_at: Time
    predicted_at: Time


class PredictionsDocument(Document):
    """The latest prediction of every ticker."""

    count: Integer
    predictions: list[PredictionDocument]


class ProblemDocument(BaseModel):
    """An error as defined by RFC 9457; some types have additional members."""

    type: str
    title: str
    status: Integer
    detail: str
