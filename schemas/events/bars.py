"""What the feature stream says: closed bars and features."""

from msgspec import Struct

from schemas.events.ticks import Origin
from schemas.times import Interval


class BarSoFar(Struct, frozen=True, kw_only=True):
    """An open bar as it stands, `[start_ns, end_ns)`."""

    start_ns: int
    end_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    tick_count: int


class Bar(Struct, frozen=True, kw_only=True):
    """A closed OHLCV bar, `[start_ns, end_ns)`.

    Attributes:
        bar_index: Closed bars of the ticker so far, this one included (from 1).
        partial: Ticks were lost while the bar was open; it is never scored.
        source: The source of its last tick.
        source_offset: Of the frame that closed it, on `source_partition` of `ticks`.
        rescaled: By what the prices of all earlier bars must be multiplied to be on the scale of this one: other than 1
            in the first bar that is closed after a split.
    """

    id: str
    ticker: str
    interval: Interval
    start_ns: int
    end_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    tick_count: int
    bar_index: int
    source: str
    source_partition: int
    source_offset: int
    ingested_at_ns: int
    closed_at_ns: int
    partial: bool = False
    origin: Origin = Origin.NORMAL
    rescaled: float = 1.0


class Features(Struct, frozen=True, kw_only=True):
    """Everything that a model needs to know of a ticker at one moment.

    A final event speaks of a closed bar. A provisional one speaks of the newest open bar: `indicators`
    hold that bar so far; `model_inputs`, `sequence`, `returns` and `volatility` are those of the last
    closed bar.

    Attributes:
        as_of_ns: End of the bar where final, else event time of the ticker's newest tick.
        current_price: The close of `bar`.
        last_close: Close of the last closed bar (`bar` itself where final); null before the first.
        indicators: By name (`schemas.features.INDICATOR_NAMES`); null until the window is filled.
        model_inputs: `MODEL_INPUT_NAMES` in order; empty until every indicator is there.
        sequence: `SEQUENCE_STEPS` rows of `SEQUENCE_CHANNELS`, oldest first; empty likewise.
        returns: Up to `RETURNS_COUNT` close-to-close log returns, oldest first.
        volatility: Sample standard deviation (n - 1) of the last 20 log returns, per bar; null until there.
        bar_index: Closed bars of the ticker so far.
        source_offset: Of the last frame absorbed, on `source_partition` of `ticks`.
    """

    id: str
    ticker: str
    interval: Interval
    final: bool
    as_of_ns: int
    bar: BarSoFar
    bar_index: int
    current_price: float
    last_close: float | None
    indicators: dict[str, float | None]
    model_inputs: list[float]
    sequence: list[list[float]]
    returns: list[float]
    volatility: float | None
    feature_version: str
    source_partition: int
    source_offset: int
    ingested_at_ns: int
    featured_at_ns: int
    partial: bool = False
    origin: Origin = Origin.NORMAL
