"""One market as two providers tell it."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from ingestor.sources.bar_play import PlayedBar
from schemas.times import bar_start_ns
from tests.ingestor.fold import fold
from tests.ingestor.live_play import BEGIN_NS, MINUTE_NS, LivePlay, MovedClock
from tests.ingestor.providers.alpaca import FakeAlpaca
from tests.ingestor.providers.fake import until

_MINUTE = bar_start_ns(BEGIN_NS, MINUTE_NS)
_SECOND = 10**9


class TwoProviders:
    """Trades of two tickers, told by two providers, whose histories hold them all.

    Args:
        every_ns: So far apart are two trades of a ticker.
    """

    def __init__(
        self,
        first: FakeAlpaca,
        second: FakeAlpaca,
        folder: Path,
        *,
        minutes: int = 12,
        every_ns: int = 2 * _SECOND,
        clock: MovedClock | None = None,
    ) -> None:
        self.first, self.second = first, second
        self.play = LivePlay(first, folder, others={"other": second}, clock=clock)
        self.trades = [
            (ticker, _MINUTE + step * every_ns + 7, base + (step * 37 % 11) / 10, float(step % 4 + 1), step)
            for step in range(minutes * MINUTE_NS // every_ns)
            for ticker, base in (("AAPL", 100.0), ("MSFT", 200.0))
        ]
        self.bars = fold([trade[:4] for trade in self.trades], MINUTE_NS)
        for ticker, bars in self.bars.items():
            for start_ns, bar in bars.items():
                played = PlayedBar(ticker, bar.open, bar.high, bar.low, bar.close, bar.volume)
                for fake in (first, second):
                    fake.history.setdefault(ticker, {})[start_ns] = played

    async def pass_until(self, minutes: float, tell: Iterable[FakeAlpaca]) -> None:
        """Let time pass, trade after trade, each told by some of the providers."""
        clock, end_ns = self.play.clock, _MINUTE + int(minutes * MINUTE_NS)
        for trade in [trade for trade in self.trades if clock() <= trade[1] < end_ns]:
            clock.jump((trade[1] - clock()) / _SECOND)
            for fake in tell:
                await fake.send(trade)
            await asyncio.sleep(0.002)

    async def plays(self, name: str) -> None:
        """Wait until a provider's ticks are played, and its gap is behind it."""
        await until(
            lambda: (
                self.play.count("tickcast_playing_providers", source=name) == 1
                and self.play.source.health().trouble is None
            ),
            what=f"{name} to play",
        )

    def hand_overs(self, source: str, before: str, reason: str) -> float:
        labels = {"source": source, "before": before, "reason": reason}
        return self.play.count("tickcast_source_hand_overs_total", **labels)

    def require_undisturbed(self, minutes: Iterable[int]) -> None:
        made = self.play.bars()
        for ticker, bars in self.bars.items():
            for minute in minutes:
                start_ns = _MINUTE + minute * MINUTE_NS
                bar, own = bars[start_ns], made[ticker][start_ns]
                assert (own.open, own.high, own.low, own.close, own.volume) == (
                    bar.open,
                    bar.high,
                    bar.low,
                    bar.close,
                    bar.volume,
                ), f"{ticker}, minute {minute}"

    def told_by(self) -> list[str]:
        """Give whose live ticks were played, in order, each run of them once."""
        names = [moment.provider for moment in self.play.moments if moment.tickers and moment.origin == "normal"]
        return [name for name, before in zip(names, ["", *names], strict=False) if name != before]
