"""What goes into the stream: frames of ticks."""

from enum import StrEnum

from msgspec import Struct


class Origin(StrEnum):
    """Where ticks come from. Of several, an event made from them carries the last in this order."""

    NORMAL = "normal"
    FILLED = "filled"
    WARM_UP = "warm_up"
    REPEAT = "repeat"
    SIMULATED = "simulated"


#: Rank of an origin: the highest of several is carried on.
ORIGIN_RANK: dict[Origin, int] = {origin: rank for rank, origin in enumerate(Origin)}


class TickFrame(Struct, frozen=True, kw_only=True):
    """Ticks of any tickers of one partition, in arrival order, as columns of equal length (0..N).

    Attributes:
        source: Unique per ingestor instance, the same after a restart.
        sequence: Dense per source and partition, from 0.
        position: The source's own place after this frame, to resume from; opaque to all others.
        times_ns: Event times.
        prices: In the ticker's currency.
        sizes: Units traded; 0 for a quote.
        watermark_ns: The source has sent everything before this time; applies after the ticks.
        provider: Which provider of a live market told the ticks; empty for other sources.
        rescaled: By ticker, by what all prices before this frame must be multiplied to be on the scale of those that
            follow, and sizes divided: 0.5 after a split of two for one. Applies before the ticks.
        lost_before_ns: Of what the source has not sent from before this time, some is lost for good: bars that begin
            before it, and are open or come later, are partial. Applies before the ticks.
    """

    source: str
    sequence: int
    position: str
    tickers: list[str]
    times_ns: list[int]
    prices: list[float]
    sizes: list[float]
    ingested_at_ns: int
    origin: Origin = Origin.NORMAL
    watermark_ns: int | None = None
    provider: str = ""
    rescaled: dict[str, float] = {}
    lost_before_ns: int | None = None


class Tick(Struct, frozen=True):
    """One trade or quote, as a source gives it. Never on the wire by itself."""

    ticker: str
    time_ns: int
    price: float
    size: float = 0.0
