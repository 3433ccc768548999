"""Quiet tickers for a market of busy ones: only after a silence is a feature due at once."""

from collections.abc import Iterator

import numpy as np
from msgspec import structs

from benchmarks.market import Market
from schemas.events import TickFrame
from schemas.times import NS_PER_SECOND

_SILENCE_SECONDS = (0.7, 1.3)


def quieten(frames: Iterator[tuple[int, TickFrame]], market: Market, share: float) -> Iterator[tuple[int, TickFrame]]:
    """Let a share of the tickers trade about once a second; their other ticks go to the next busy one of the frame.

    Args:
        frames: Of the market.
        market: It.
        share: From 0 to below 1.
    """
    if share == 0:
        yield from frames
        return
    generator = np.random.default_rng(market.seed)
    every = round(1 / share)
    speaks_at_ns: dict[str, int] = {}

    def stands(ticker: str, time_ns: int) -> bool:
        if int(ticker[1:]) % every:
            return True
        if time_ns < speaks_at_ns.get(ticker, 0):
            return False
        speaks_at_ns[ticker] = time_ns + round(generator.uniform(*_SILENCE_SECONDS) * NS_PER_SECOND)
        return True

    for partition, frame in frames:
        tickers = [
            ticker if stands(ticker, time_ns) else ""
            for ticker, time_ns in zip(frame.tickers, frame.times_ns, strict=True)
        ]
        busy = next((ticker for ticker in tickers if ticker), frame.tickers[0])
        yield partition, structs.replace(frame, tickers=[ticker or busy for ticker in tickers])
