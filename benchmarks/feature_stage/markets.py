"""The market that is the same for all: 600 ticks a bar and ticker, windows full before measuring begins."""

from benchmarks.feature_stage.contestants import Contestant
from benchmarks.market import Market
from schemas.features import WINDOW_BARS

#: Of a busy ticker in event time; bars are minutes, so closed bars cost the same at any number of tickers.
_TICKS_A_SECOND_AND_TICKER = 10.0
#: Enough for eight seconds of two workers with this many ticks a record.
_FRAME_TICKS, _SINGLE_TICKS = 16_000_000, 1_500_000
_QUICK_SHARE = 2


def market_for(contestant: Contestant, tickers: int, frame_ticks: int, *, quick: bool = False) -> Market:
    """Give the market that a contestant works through."""
    ticks = _FRAME_TICKS if contestant.input == "frames" else _SINGLE_TICKS
    return Market(
        tickers=tickers,
        ticks=ticks // _QUICK_SHARE if quick else ticks,
        frame_ticks=frame_ticks,
        rate_per_second=_TICKS_A_SECOND_AND_TICKER * tickers,
        warm_up_bars=WINDOW_BARS,
        watermarks=False,  # a busy source sends none
    )
