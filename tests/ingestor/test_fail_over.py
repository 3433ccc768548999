"""Two providers of one market: one dies, falls silent, refuses, flaps, comes back; the bars are those of all ticks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from ingestor.sources.live.roster_desk import PlacedCommand
from ingestor.sources.moments import Moment
from schemas.errors import StopAndSayError
from schemas.events import Origin, SourceAction, SourceCommand
from tests.ingestor.fold import ticks_of
from tests.ingestor.live_play import BEGIN_NS, MINUTE_NS, LivePlay
from tests.ingestor.providers.alpaca import FakeAlpaca
from tests.ingestor.providers.fake import until
from tests.ingestor.two_providers import TwoProviders


@pytest.fixture
async def market(tmp_path: Path) -> AsyncIterator[TwoProviders]:
    first, second = FakeAlpaca(), FakeAlpaca()
    async with AsyncExitStack() as stack:
        for fake in (first, second):
            await stack.enter_async_context(fake.running())
        yield TwoProviders(first, second, tmp_path)


async def test_its_place_in_the_log_is_the_same_whatever_its_providers_and_tickers(
    market: TwoProviders, tmp_path: Path
) -> None:
    alone = LivePlay(market.second, tmp_path).source
    assert market.play.source.content == alone.content
    assert market.play.source.title != alone.title


async def test_a_broken_connection_is_made_again_and_nobody_takes_over(market: TwoProviders) -> None:
    async with market.play.playing():
        await market.plays("fake")
        await market.pass_until(2.2, [market.first, market.second])
        await market.first.drop()
        await market.play.connected(2)
        await market.pass_until(5, [market.first, market.second])
    market.require_undisturbed(range(4))
    assert market.told_by() == ["fake"]
    assert market.second.connections == 0


async def test_the_next_takes_over_from_one_that_died_and_hands_back_once_it_has_proved_itself(
    market: TwoProviders,
) -> None:
    both = [market.first, market.second]
    async with market.play.playing():
        await market.plays("fake")
        await market.pass_until(2.2, both)
        market.first.error = (406, "connection limit exceeded")
        await market.first.drop()
        await market.plays("other")
        assert market.hand_overs("other", "fake", "away") == 1
        await market.pass_until(4.3, both)
        market.first.error = None
        await until(lambda: market.first.connections == 2, what="the first to be back")
        await market.pass_until(5.2, both)
        assert market.hand_overs("fake", "other", "return") == 0, "it has not been well for a minute yet"
        await market.pass_until(6.2, both)
        await market.plays("fake")
        assert market.hand_overs("fake", "other", "return") == 1
        await market.pass_until(9, both)
        await until(lambda: market.second.streams == 0, what="the end of the other's stream")
    market.require_undisturbed(range(8))
    assert market.told_by() == ["fake", "other", "fake"]
    assert market.play.count("tickcast_source_gaps_total", result="unfilled") == 0


async def test_the_next_takes_over_from_one_that_is_mute(market: TwoProviders) -> None:
    async with market.play.playing():
        await market.plays("fake")
        await market.pass_until(2.2, [market.first, market.second])
        await market.pass_until(3.5, [])
        await market.plays("other")
        await market.pass_until(6, [market.second])
    assert market.hand_overs("other", "fake", "mute") == 1
    market.require_undisturbed(range(5))
    assert market.told_by() == ["fake", "other"]


async def test_what_two_providers_tell_at_the_hand_over_counts_once(market: TwoProviders) -> None:
    """The one that takes over is late, and tells trades of before that the other one had told."""
    async with market.play.playing():
        await market.plays("fake")
        await market.pass_until(2.2, [market.first])
        market.first.error = (406, "connection limit exceeded")
        await market.first.drop()
        await market.plays("other")
        seen = [trade for trade in market.trades if BEGIN_NS < trade[1] < market.play.clock()]
        await market.second.send(*seen[-20:])
        await market.pass_until(5, [market.second])
    market.require_undisturbed(range(4))
    times = [row[:2] for row in ticks_of(m for m in market.play.moments if m.origin == "normal")]
    assert len(times) == len(set(times))


async def test_what_the_history_of_one_lacks_is_asked_of_the_other(market: TwoProviders) -> None:
    """One's stream is refused; it has answers still."""
    market.second.history.pop("MSFT")
    async with market.play.playing():
        await market.plays("fake")
        await market.pass_until(2.2, [market.first])
        market.first.error = (406, "connection limit exceeded")
        await market.first.drop()
        await market.pass_until(2.4, [])
        await market.plays("other")
        await market.pass_until(5, [market.second])
    market.require_undisturbed(range(4))
    assert market.play.count("tickcast_source_gaps_total", result="unfilled") == 0


async def test_one_that_flaps_soon_after_its_return_must_prove_itself_for_longer(market: TwoProviders) -> None:
    both = [market.first, market.second]
    async with market.play.playing():
        await market.plays("fake")
        await market.pass_until(1.2, both)
        for returns, end in ((1, 3), (2, 6)):
            market.first.error = (406, "connection limit exceeded")
            await market.first.drop()
            await market.plays("other")
            market.first.error = None
            await until(lambda: market.first.streams == 1, what="the first to be back")
            if returns == 2:
                await market.pass_until(4.2, both)
                assert market.hand_overs("fake", "other", "return") == 1, "a minute is not enough any more"
            await market.pass_until(end - 0.5, both)
            await market.plays("fake")
            assert market.hand_overs("fake", "other", "return") == returns
        await market.pass_until(8, both)
    market.require_undisturbed(range(7))


async def test_where_both_are_away_it_says_why_and_fills_what_was_missed(market: TwoProviders) -> None:
    async with market.play.playing() as playing:
        await market.plays("fake")
        await market.pass_until(2.2, [market.first])
        for fake in (market.first, market.second):
            fake.error = (406, "connection limit exceeded")
        await market.first.drop()
        await until(lambda: "other: " in str(market.play.source.health().trouble), what="trouble")
        await until(lambda: str(market.play.source.health().trouble).count("connection limit") == 2, what="both's")
        market.play.clock.jump(90)
        assert not playing.done()
        market.second.error = None
        await market.plays("other")
        await market.pass_until(6, [market.second])
    market.require_undisturbed(range(5))
    assert market.play.count("tickcast_source_gaps_total", result="unfilled") == 0


async def test_a_refused_key_of_one_ends_nothing_and_refused_keys_of_all_do(
    market: TwoProviders, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(StopAndSayError, match="refuses the key"):  # noqa: PT012 - the play ends while its block runs
        async with market.play.playing() as playing:
            await market.plays("fake")
            await market.pass_until(2.2, [market.first])
            market.first.error = (402, "auth failed")
            await market.first.drop()
            await market.plays("other")
            levels = [line.levelname for line in caplog.records if "refuses the key" in line.getMessage()]
            assert levels[0] == "ERROR"
            await market.pass_until(4, [market.second])
            assert not playing.done()
            market.second.error = (402, "auth failed")
            await market.second.drop()
            await until(playing.done, what="the end")
    market.require_undisturbed(range(3))


async def test_a_gap_is_filled_from_another_where_who_plays_has_no_history(market: TwoProviders) -> None:
    market.first.history.clear()
    async with market.play.playing():
        await market.plays("fake")
        await market.pass_until(2.2, [market.first])
        await market.first.drop()
        market.play.clock.jump(70)
        await market.play.connected(2)
        await market.pass_until(6, [market.first])
    market.require_undisturbed(range(5))
    assert market.second.connections == 0


async def test_a_tick_of_the_future_is_not_what_the_next_provider_is_held_to(market: TwoProviders) -> None:
    async with market.play.playing():
        await market.plays("fake")
        await market.pass_until(2.2, [market.first])
        await market.first.send(("AAPL", BEGIN_NS + 3_600 * 10**9, 100.0, 1.0, 99_999))
        market.first.error = (406, "connection limit exceeded")
        await market.first.drop()
        await market.plays("other")
        await market.pass_until(5, [market.second])
    others = [moment for moment in market.play.moments if moment.provider == "other" and moment.origin == "normal"]
    assert "AAPL" in {ticker for moment in others for ticker in moment.tickers}


async def test_prices_are_made_up_only_where_that_is_asked_for_after_a_while_and_until_somebody_is_back(
    market: TwoProviders, tmp_path: Path
) -> None:
    market = TwoProviders(market.first, market.second, tmp_path, fall_back_seconds=30)
    play = market.play
    async with play.playing():
        await market.plays("fake")
        await market.pass_until(2.6, [market.first])
        for fake in (market.first, market.second):
            fake.error = (406, "connection limit exceeded")
        await market.first.drop()
        await until(lambda: str(play.source.health().trouble).count("connection limit") == 2, what="both's trouble")
        play.clock.jump(20)
        await asyncio.sleep(0.6)
        assert _made_up(play) == []
        play.clock.jump(15)
        await until(lambda: bool(_made_up(play)), what="a made-up price")
        assert str(play.source.health().trouble).startswith("prices are simulated: fake: ")
        play.clock.jump(120)
        await until(
            lambda: (play.moments[-1].watermark_ns or 0) > BEGIN_NS + 4 * MINUTE_NS, what="the end of a made-up bar"
        )
        market.second.error = None
        await market.plays("other")
        await market.pass_until(8, [market.second])
    market.require_undisturbed([0, 1, 6])
    told = [moment for moment in play.moments if moment.tickers]
    origins = [moment.origin for moment in told]
    first, end = origins.index(Origin.SIMULATED), len(origins) - origins[::-1].index(Origin.SIMULATED)
    assert set(origins[first:end]) == {Origin.SIMULATED}
    assert {moment.provider for moment in told[first:end]} == {"simulated"}
    last = {ticker: price for ticker, _, price, _ in ticks_of(told[:first])}
    assert all(abs(price / last[ticker] - 1) < 0.01 for ticker, _, price, _ in ticks_of(told[first:end]))
    assert [bad.code for moment in play.moments for bad in moment.rejected] == ["gap"]
    assert play.count("tickcast_playing_providers", source="simulated") == 0


async def test_no_price_is_made_up_of_a_ticker_that_rests(market: TwoProviders, tmp_path: Path) -> None:
    market = TwoProviders(market.first, market.second, tmp_path, fall_back_seconds=1)
    play = market.play
    async with play.playing():
        await market.plays("fake")
        await market.pass_until(1.2, [market.first])
        for fake in (market.first, market.second):
            fake.error = (406, "connection limit exceeded")
        await market.first.drop()
        await until(lambda: bool(_made_up(play)), what="a made-up price")
        pause = SourceCommand(
            id="1", source="live", action=SourceAction.PAUSE, tickers=["MSFT"], requested_by="ann", requested_at_ns=1
        )
        play.desk.take(PlacedCommand(0, play.clock(), pause))
        count = len(play.moments)
        await until(lambda: len(ticks_of(play.moments[count:])) > 2, what="more made-up prices")
    assert {name for moment in play.moments[count:] for name in moment.tickers} == {"AAPL"}


def _made_up(play: LivePlay) -> list[Moment]:
    return [moment for moment in play.moments if moment.origin is Origin.SIMULATED]
