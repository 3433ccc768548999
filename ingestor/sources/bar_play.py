"""A bar as four ticks that fold back to it, exactly."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from ingestor.sources.moments import Moment, Position
from schemas.events import Origin

PRICES_PER_BAR = 4
#: Whole numbers are exact below this.
_EXACT_INTEGERS = 2.0**53


class PlayedBar(Struct, frozen=True, gc=False):
    """One bar, to be played."""

    ticker: str
    open: float
    high: float
    low: float
    close: float
    volume: float


def four_prices(bar: PlayedBar) -> tuple[float, float, float, float]:
    """Give a bar's prices in the usual order: the low first on an up day, the high first on a down day."""
    if bar.close >= bar.open:
        return bar.open, bar.low, bar.high, bar.close
    return bar.open, bar.high, bar.low, bar.close


def four_sizes(volume: float) -> tuple[float, float, float, float]:
    """Split a volume so that adding the four up, in order, gives it back bit for bit; none is negative.

    Three equal parts add up to between half and all of the volume, or to nothing where it is as small as
    numbers get; what is left to the volume is then exact (Sterbenz), and so is the last sum.
    """
    whole = volume < _EXACT_INTEGERS and volume.is_integer()
    part = float(volume // PRICES_PER_BAR) if whole else volume / PRICES_PER_BAR
    return part, part, part, volume - (part + part + part)


def play_bars(
    bars: Sequence[PlayedBar], times_ns: Sequence[int], origin: Origin, place: Position, end_ns: int
) -> Iterator[list[Moment]]:
    """Play the bars of one time: a list for each of the four prices, all tickers in each, the watermark last.

    Args:
        times_ns: Event times of the four prices.
        place: Of this bar time; a moment's position is this and its number, from 1 (0 is for what comes before).
        end_ns: End of the bars, for the watermark.
    """
    number = 0
    prices = [four_prices(bar) for bar in bars]
    sizes = [four_sizes(bar.volume) for bar in bars]
    for step, time_ns in enumerate(times_ns):
        moments = []
        for bar, price, size in zip(bars, prices, sizes, strict=True):
            number += 1
            moments.append(
                Moment(
                    position=(*place, number),
                    tickers=[bar.ticker],
                    times_ns=[time_ns],
                    prices=[price[step]],
                    sizes=[size[step]],
                    origin=origin,
                )
            )
        if step == PRICES_PER_BAR - 1:
            moments.append(Moment(position=(*place, number + 1), origin=origin, watermark_ns=end_ns))
        yield moments
