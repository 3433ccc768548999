"""Tickers of a live source that are changed while it plays, against a local Alpaca."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec
import pytest

from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.live.roster_desk import PlacedCommand
from ingestor.sources.moments import Rejected
from schemas.times import Interval, bar_start_ns, from_rfc3339, to_rfc3339
from tests.ingestor.fold import fold, ticks_of
from tests.ingestor.live_play import BEGIN_NS, MINUTE_NS, LivePlay
from tests.ingestor.providers.alpaca import FakeAlpaca
from tests.ingestor.providers.fake import until
from tests.ingestor.test_roster import command

_NOW_MINUTE = bar_start_ns(BEGIN_NS, MINUTE_NS)
_SECOND = 10**9
_BASES = {"AAPL": 100.0, "MSFT": 200.0, "NVDA": 300.0}

#: Ticker, time, price, size, number.
Trade = tuple[str, int, float, float, int]


@pytest.fixture
async def fake() -> AsyncIterator[FakeAlpaca]:
    provider = FakeAlpaca()
    async with provider.running():
        yield provider


class Market:
    """Trades of three tickers every few seconds, their history, and a source that plays some of them."""

    def __init__(self, fake: FakeAlpaca, folder: Path, interval: Interval = "1m", minutes: int = 8) -> None:
        self.fake = fake
        self.play = LivePlay(fake, folder, interval=interval)
        self.trades: list[Trade] = [
            (ticker, _NOW_MINUTE + step * 5 * _SECOND + 7, base + (step * 37 % 11) / 10, float(step % 4 + 1), step)
            for step in range(minutes * 12)
            for ticker, base in _BASES.items()
        ]
        self.bars = fold([trade[:4] for trade in self.trades], MINUTE_NS)
        for ticker, bars in self.bars.items():
            fake.history[ticker] = {
                start_ns: PlayedBar(ticker, bar.open, bar.high, bar.low, bar.close, bar.volume)
                for start_ns, bar in bars.items()
            }
        self._commands = 0

    async def pass_until(self, minutes: float) -> None:
        """Send the trades from the clock's time on, moving the clock with them."""
        clock, end_ns = self.play.clock, _NOW_MINUTE + int(minutes * MINUTE_NS)
        for trade in [trade for trade in self.trades if clock() <= trade[1] < end_ns]:
            clock.jump(max(0.0, (trade[1] - clock()) / _SECOND))  # two ticks are never heard at one time
            said = self.play.source.health().last_tick_ns
            await self.fake.send(trade)
            if trade[0] in self.play.desk.roster.playing:
                await until(lambda: self.play.source.health().last_tick_ns != said, what=f"{trade}")  # noqa: B023

    def ask(self, action: str, *tickers: str) -> str:
        """Take a command, and give its id."""
        asked = command(action, *tickers, id=f"c{self._commands}")
        self.play.desk.take(PlacedCommand(self._commands, self.play.clock(), asked))
        self._commands += 1
        return asked.id

    def answer(self, command_id: str) -> str:
        return next(f"{each.state}: {each.message}" for each in self.play.desk.answers if each.id == command_id)

    def require_undisturbed(self, ticker: str, minutes: Sequence[int]) -> None:
        made = self.play.bars()[ticker]
        for minute in minutes:
            start_ns = _NOW_MINUTE + minute * MINUTE_NS
            bar, own = self.bars[ticker][start_ns], made[start_ns]
            assert (own.open, own.high, own.low, own.close, own.volume) == (
                bar.open,
                bar.high,
                bar.low,
                bar.close,
                bar.volume,
            ), f"{ticker}, minute {minute}"

    def require_none_lost(self) -> None:
        for reason in ("away", "mute"):
            assert self.play.count("tickcast_source_connections_lost_total", reason=reason) == 0
        assert {moment.lost_before_ns for moment in self.play.moments} == {None}

    def gaps(self) -> list[Rejected]:
        return [bad for moment in self.play.moments for bad in moment.rejected]


def _times(play: LivePlay, ticker: str) -> list[int]:
    return [time_ns for name, time_ns, _, _ in ticks_of(play.moments) if name == ticker]


async def test_an_added_ticker_comes_and_the_others_bars_are_undisturbed(fake: FakeAlpaca, tmp_path: Path) -> None:
    market = Market(fake, tmp_path)
    async with market.play.playing():
        await market.play.connected()
        await market.pass_until(2.5)
        troubles: list[str | None] = []
        fake.at_subscription = lambda: troubles.append(market.play.source.health().trouble)
        added = market.ask("add", "nvda")
        market.play.clock.jump(20)  # nobody hears these
        await market.play.connected(2)
        assert troubles == [None], "to open it with other tickers is no trouble"
        await market.pass_until(8)
        assert market.answer(added) == "done: plays AAPL, MSFT, NVDA"
    for ticker in ("AAPL", "MSFT"):
        market.require_undisturbed(ticker, range(7))
    market.require_undisturbed("NVDA", range(2, 7))
    assert market.gaps() == []
    market.require_none_lost()


async def test_what_an_added_tickers_first_bar_lacks_is_said(fake: FakeAlpaca, tmp_path: Path) -> None:
    market = Market(fake, tmp_path, "5m")
    async with market.play.playing():
        await market.play.connected()
        await market.pass_until(2.5)
        market.ask("add", "NVDA")
        await market.play.connected(2)
    [gap] = market.gaps()
    said = msgspec.json.decode(gap.value)
    assert said == {"from": to_rfc3339(_NOW_MINUTE), "to": to_rfc3339(_NOW_MINUTE + 2 * MINUTE_NS), "tickers": ["NVDA"]}


async def test_a_removed_ticker_comes_no_more_and_the_stream_stays(fake: FakeAlpaca, tmp_path: Path) -> None:
    market = Market(fake, tmp_path)
    async with market.play.playing():
        await market.play.connected()
        await market.pass_until(2.5)
        market.ask("remove", "MSFT")
        await market.pass_until(6)
    market.require_undisturbed("AAPL", range(5))
    assert max(_times(market.play, "MSFT")) < _NOW_MINUTE + 2.5 * MINUTE_NS
    assert fake.connections == 1


async def test_a_paused_ticker_comes_back_with_whole_minutes_and_what_it_missed_is_said(
    fake: FakeAlpaca, tmp_path: Path
) -> None:
    market = Market(fake, tmp_path)
    async with market.play.playing():
        await market.play.connected()
        await market.pass_until(1.5)
        market.ask("pause", "MSFT")
        await market.pass_until(4.5)
        resumed = market.ask("resume", "MSFT")
        await market.play.connected(2)
        await market.pass_until(8)
        assert market.answer(resumed) == "done: plays AAPL, MSFT"
    market.require_undisturbed("AAPL", range(7))
    market.require_undisturbed("MSFT", [0, *range(4, 7)])
    [gap] = market.gaps()
    said = msgspec.json.decode(gap.value)
    assert (gap.code, said["tickers"], from_rfc3339(said["to"])) == ("gap", ["MSFT"], _NOW_MINUTE + 4 * MINUTE_NS)
    assert 0 <= from_rfc3339(said["from"]) - (_NOW_MINUTE + 1.4 * MINUTE_NS) < 0.2 * MINUTE_NS
    assert market.play.count("tickcast_source_gaps_total", result="unfilled") == 1
    market.require_none_lost()


async def test_where_all_were_paused_nothing_went_on_and_the_gap_is_filled(fake: FakeAlpaca, tmp_path: Path) -> None:
    market = Market(fake, tmp_path)
    async with market.play.playing():
        await market.play.connected()
        await market.pass_until(1.5)
        market.ask("pause")
        await until(lambda: not fake.streams, what="the end of the stream")
        assert not market.play.source.health().expects_ticks
        market.play.clock.jump(180)
        market.ask("resume")
        await market.play.connected(2)
        await market.pass_until(8)
    for ticker in ("AAPL", "MSFT"):
        market.require_undisturbed(ticker, range(7))
    assert market.gaps() == []
    market.require_none_lost()


@pytest.mark.parametrize("refusal", [(405, "symbol limit exceeded"), (400, "invalid syntax")])
async def test_a_ticker_that_the_provider_refuses_is_not_added_and_the_others_go_on(
    fake: FakeAlpaca, tmp_path: Path, refusal: tuple[int, str]
) -> None:
    market = Market(fake, tmp_path)
    fake.refused["NVDA"] = refusal
    async with market.play.playing() as playing:
        await market.play.connected()
        await market.pass_until(1.5)
        added = market.ask("add", "NVDA")
        await until(lambda: market.answer(added).startswith("refused") or playing.done(), what="a refusal")
        assert refusal[1] in market.answer(added)
        await market.play.connected(2)
        await market.pass_until(5)
    for ticker in ("AAPL", "MSFT"):
        market.require_undisturbed(ticker, range(4))
