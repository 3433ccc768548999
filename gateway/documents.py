"""The answers of REST, for `/docs`. The bytes themselves are made elsewhere, once; a test holds the two together."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from schemas.events import Direction, Origin
from schemas.times import Interval

Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$", description="RFC 3339, UTC")]
Integer = Annotated[int, Field(lt=2**53, gt=-(2**53))]


class Document(BaseModel):
    """Base of every answer."""

    model_config = ConfigDict(extra="forbid")


class PriceRangeDocument(Document):
    """An interval of prices."""

    low: float
    high: float


class HorizonDocument(Document):
    """The ensemble's word on one horizon."""

    horizon: Integer = Field(description="In bars after the last closed one")
    target_time: Time
    price_target: float
    confidence: float
    direction: Direction
    log_return: float
    percent: float
    interval_95: PriceRangeDocument | None
    interval_99: PriceRangeDocument | None


class MemberHorizonDocument(Document):
    """One model's own word on one horizon."""

    horizon: Integer
    log_return: float
    spread: float | None = Field(description="Scale of the error, in log return; null where unknown")
    confidence: float
    weight: float


class MemberDocument(Document):
    """One model's own prediction."""

    name: str
    version: str
    horizons: list[MemberHorizonDocument]


class BarDocument(Document):
    """The bar so far."""

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
    prediction: HorizonDocument = Field(description="Of the shortest horizon")
    timestamp: Time = Field(description="Event time")
    updated_at: Time = Field(description="Wall time")
    id: str
    feature_id: str
    interval: Interval
    bar_index: Integer
    provisional: bool
    in_sample: bool
    degraded: str | None = Field(description="Why this is less than the whole ensemble's word")
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
    """An error, as RFC 9457 has it; some types have further members."""

    type: str
    title: str
    status: Integer
    detail: str
