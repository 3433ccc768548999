"""A provider beside the one that is played: where it says otherwise it is told, and nothing stops."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from ingestor.settings import IngestorSettings
from ingestor.sources.live.beside import Beside, ComparedSource
from ingestor.sources.live.connecting import Connecting, Heard
from ingestor.sources.live.feed import Feed
from ingestor.sources.live.opening import open_live_source
from schemas.errors import StopAndSayError
from tests.ingestor.fold import ticks_of
from tests.ingestor.live_play import LivePlay
from tests.ingestor.providers.alpaca import FakeAlpaca
from tests.ingestor.providers.fake import until


class _Market:
    """Two providers, one played, the other beside it."""

    def __init__(self, folder: Path) -> None:
        self.played, self.other = FakeAlpaca(), FakeAlpaca()
        self.folder = folder
        self.sent = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[LivePlay]:
        async with self.played.running(), self.other.running():
            self.play = LivePlay(self.played, self.folder)
            [self.feed] = LivePlay(self.other, self.folder).source._feeds
            self.feed.name = "other"
            yield self.play

    def compare(self, feed: Feed) -> None:
        play = self.play
        beside = Beside(feed, lambda: play.desk.roster.playing, 0.005, play.clock, play.registry)
        play.source = ComparedSource(
            beside, play.source._feeds, play.desk, play.source._options, play.clock, play.clock.sleep
        )

    async def go_on(self, played: float, other: float, count: int = 10) -> None:
        """Send pairs of prices, five seconds apart."""
        for _ in range(count):
            self.play.clock.jump(5)
            self.sent += 1
            now_ns = self.play.clock()
            await self.other.send(("AAPL", now_ns, other, 1.0, self.sent))
            await self.played.send(("AAPL", now_ns, played, 1.0, self.sent))
            await self.play.heard(self.sent)

    def figure(self, name: str) -> float | None:
        return self.play.registry.get_sample_value(f"tickcast_source_{name}", {"source": "other"})


async def test_who_lies_is_named_once_until_it_says_the_truth_and_nothing_stops(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    market = _Market(tmp_path)
    async with market.running() as play:
        market.compare(market.feed)
        async with play.playing() as task:
            await play.connected()
            await until(lambda: market.other.connections == 1, what="the other's connection")
            await market.go_on(100.0, 100.1)
            assert market.figure("disagreeing_tickers") == 0
            await market.go_on(100.0, 103.0, count=12)
            assert market.figure("disagreeing_tickers") == 1
            assert market.figure("disagreement_ratios") == pytest.approx(3 / 103)
            assert (play.source.health().trouble, play.source.health().note) == (
                None,
                "other says other prices of AAPL",
            )
            await market.go_on(101.0, 101.0, count=2)
            assert (market.figure("disagreeing_tickers"), play.source.health().note) == (0, "")
            assert not task.done()
    assert {price for _, _, price, _ in ticks_of(play.moments)} == {100.0, 101.0}, "nothing of it is played"
    said = [record.getMessage() for record in caplog.records if "another price" in record.getMessage()]
    assert said == [
        "other says another price of AAPL, by 2.91 %",
        "other no longer says another price of AAPL",
    ]


async def test_its_refusal_ends_the_comparison_and_nothing_else(tmp_path: Path) -> None:
    error = StopAndSayError("it refuses the key")

    async def ticks(_: Sequence[str]) -> AsyncGenerator[Heard, None]:
        yield []
        raise error

    market = _Market(tmp_path)
    async with market.running() as play:
        market.feed.connecting = Connecting(ticks, answer_seconds=5.0, least_seconds=0.0)
        market.compare(market.feed)
        async with play.playing() as task:
            await play.connected()
            await until(lambda: str(error) in play.source.health().note, what="the word of it")
            await market.go_on(100.0, 200.0, count=8)
            assert (task.done(), play.source.health().trouble) == (False, None)
    assert market.figure("disagreeing_tickers") == 0


async def test_a_connection_that_breaks_ends_all_disagreement_and_is_opened_again(tmp_path: Path) -> None:
    market = _Market(tmp_path)
    async with market.running() as play:
        market.compare(market.feed)
        async with play.playing():
            await play.connected()
            for times in (1, 2):
                await until(lambda: market.other.connections == times, what="a connection")  # noqa: B023
                await market.go_on(100.0, 103.0, count=12)
                assert market.figure("disagreeing_tickers") == 1
                await market.other.drop()
                await until(lambda: market.figure("disagreeing_tickers") == 0, what="the end of it")
            assert market.figure("disagreement_ratios") == 0


def test_the_settings_open_both_or_say_why_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY", "POLYGON_API_KEY"):
        monkeypatch.setenv(name, "k" * 20)
    settings = IngestorSettings(_env_file=None, source="alpaca", tickers="AAPL", interval="1m")
    monkeypatch.setenv("TICKCAST_SOURCE_COMPARE", "polygon")
    assert not isinstance(open_live_source(settings, CollectorRegistry()), ComparedSource), "its prices are older"
    monkeypatch.setenv("TICKCAST_POLYGON_FEED", "realtime")
    source = open_live_source(settings, CollectorRegistry())
    assert isinstance(source, ComparedSource)
    assert source.title == "live prices of AAPL from alpaca"
    monkeypatch.delenv("POLYGON_API_KEY")
    assert not isinstance(open_live_source(settings, CollectorRegistry()), ComparedSource), "it has no key"
    monkeypatch.setenv("TICKCAST_SOURCE_COMPARE", "alpaca")
    with pytest.raises(StopAndSayError, match="TICKCAST_SOURCE_COMPARE: alpaca is played already"):
        open_live_source(settings)


def test_of_providers_that_are_not_equally_late_none_could_go_on_where_another_was(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("APCA_API_KEY_ID", "APCA_API_SECRET_KEY", "POLYGON_API_KEY"):
        monkeypatch.setenv(name, "k" * 20)
    settings = IngestorSettings(_env_file=None, source="alpaca,polygon", tickers="AAPL", interval="1m")
    with pytest.raises(StopAndSayError, match=r"TICKCAST_SOURCE: alpaca .* polygon .* 900 s .*TICKCAST_POLYGON_"):
        open_live_source(settings, CollectorRegistry())
    monkeypatch.setenv("TICKCAST_POLYGON_FEED", "realtime")
    assert open_live_source(settings, CollectorRegistry()).title == "live prices of AAPL from alpaca,polygon"
