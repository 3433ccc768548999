"""What is particular to Finnhub; what holds for every provider is in test_providers.py."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.live.provider import NoHistoryError, ProviderAwayError
from ingestor.sources.live.roster_desk import PlacedCommand
from ingestor.sources.providers.finnhub import FinnhubSettings
from schemas.errors import StopAndSayError
from schemas.settings import load_settings
from schemas.times import from_rfc3339, interval_ns
from tests.ingestor.fold import ticks_of
from tests.ingestor.live_play import BEGIN_NS, MINUTE_NS, LivePlay
from tests.ingestor.providers.fake import until
from tests.ingestor.providers.finnhub import FakeFinnhub
from tests.ingestor.test_roster import command

_DAY_NS = interval_ns("1d")


async def test_a_ticker_that_it_refuses_after_its_subscription_is_taken_back_and_the_others_go_on(
    tmp_path: Path,
) -> None:
    fake = FakeFinnhub()
    async with fake.running():
        play = LivePlay(fake, tmp_path)
        async with play.playing() as playing:
            await play.connected()
            play.desk.take(PlacedCommand(0, play.clock(), command("add", "NVDA")))
            await fake.subscribed("AAPL", "MSFT", "NVDA")
            await until(lambda: play.desk.held.playing == ("AAPL", "MSFT", "NVDA"), what="the answer")
            await fake.say({"type": "error", "msg": "too many symbols"})
            await until(lambda: fake.connections == 3 or playing.done(), what="the stream without it")
            await fake.send(("AAPL", play.clock(), 100.0, 1.0, 1))
            await play.heard(1)
        assert play.desk.held.playing == ("AAPL", "MSFT")
        assert "too many symbols" in play.desk.answers[-1].message


async def test_trades_that_are_alike_in_one_frame_count_each_and_a_frame_that_comes_again_counts_once(
    tmp_path: Path,
) -> None:
    fake = FakeFinnhub()
    async with fake.running():
        play = LivePlay(fake, tmp_path)
        sent = ("AAPL", BEGIN_NS, 100.0, 5.0, 1)
        async with play.playing():
            await play.connected()
            for _ in range(3):
                await fake.say({"type": "ping"})
                await fake.send(sent, sent)
            await fake.send(("AAPL", BEGIN_NS, 100.0, 6.0, 2))
            await play.heard(3)
    assert [(price, size) for _, _, price, size in ticks_of(play.moments)] == [(100.0, 5.0), (100.0, 5.0), (100.0, 6.0)]
    assert play.count("tickcast_source_ticks_passed_over_total", reason="again") == 4


@pytest.mark.parametrize(
    ("words", "error"),
    [("Subscribing to too many symbols", StopAndSayError), ("something new", ProviderAwayError)],
)
async def test_a_streams_error_stops_where_trying_again_would_not_help(
    tmp_path: Path, words: str, error: type[Exception]
) -> None:
    fake = FakeFinnhub()
    async with fake.running():
        ticks = LivePlay(fake, tmp_path).provider.ticks(["AAPL"])
        assert await anext(ticks) == []
        await fake.subscribed("AAPL")
        await fake.say({"type": "error", "msg": words})
        with pytest.raises(error, match=words):
            await anext(ticks)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_plan_without_candles_is_said_with_each_gap_and_not_asked_again(tmp_path: Path, status: int) -> None:
    fake = FakeFinnhub()
    fake.answers, fake.words = [(status, None)] * 2, "You don't have access to this resource."
    async with fake.running():
        play = LivePlay(fake, tmp_path)
        position = (5, BEGIN_NS - 3 * MINUTE_NS)
        async with play.playing(position, [position]):
            await play.connected()
            await fake.send(("AAPL", play.clock(), 100.0, 1.0, 1))
            await play.heard(1)
        with pytest.raises(NoHistoryError):
            await play.provider.history(["AAPL"], BEGIN_NS - MINUTE_NS, BEGIN_NS, "1m")
    gaps = [bad for moment in play.moments for bad in moment.rejected]
    assert [(bad.code, "the plan has no candles of AAPL" in bad.reason) for bad in gaps] == [("gap", True)]
    assert len(fake.requests) == 2  # of two tickers


async def test_a_ticker_without_candles_does_not_take_those_of_the_others_away(tmp_path: Path) -> None:
    fake, start_ns = FakeFinnhub(), BEGIN_NS // MINUTE_NS * MINUTE_NS
    fake.answers = [(403, None)]
    fake.history = {"MSFT": {start_ns: PlayedBar("MSFT", 1.0, 2.0, 0.5, 1.5, 9.0)}}
    async with fake.running():
        provider = LivePlay(fake, tmp_path).provider
        for _ in range(2):
            bars = await provider.history(["AAPL", "MSFT"], start_ns, start_ns + MINUTE_NS, "1m")
            assert sorted(bars) == ["MSFT"]
    assert len(fake.requests) == 3


@pytest.mark.parametrize("scheme", ["ws", "https"])
async def test_a_stream_that_sends_us_elsewhere_is_away_and_is_not_followed_with_the_key(
    scheme: str, tmp_path: Path
) -> None:
    fake, other = FakeFinnhub(), FakeFinnhub()
    async with fake.running(), other.running():
        address = other.settings().finnhub_stream_url.split("://")[1]
        fake.stream_moved_to = f"{scheme}://{address}?token={fake.settings().finnhub_api_key.get_secret_value()}"
        with pytest.raises(ProviderAwayError, match=r"^finnhub's stream answers 30\d$"):
            await anext(LivePlay(fake, tmp_path).provider.ticks(["AAPL"]))
    assert other.connections == 0


async def test_months_of_minutes_are_asked_for_month_by_month(tmp_path: Path) -> None:
    fake, start_ns = FakeFinnhub(), from_rfc3339("2026-08-03T14:00:00Z")
    bars = {start_ns + day * _DAY_NS: PlayedBar("AAPL", 1.0, 2.0, 0.5, 1.5, float(day)) for day in range(70)}
    fake.history = {"AAPL": bars}
    async with fake.running():
        provider = LivePlay(fake, tmp_path).provider
        columns = (await provider.history(["AAPL"], start_ns, start_ns + 70 * _DAY_NS, "1m"))["AAPL"]
    assert columns.start_ns.tolist() == sorted(bars)
    assert len(fake.requests) == 3


async def test_a_daily_bar_starts_at_midnight_utc_wherever_its_day_begins(tmp_path: Path) -> None:
    fake = FakeFinnhub()
    fake.day_begins_ns = 5 * 3_600 * 10**9
    days_ns = [from_rfc3339(day) for day in ("2026-11-23", "2026-11-24")]
    fake.history = {"AAPL": {day_ns: PlayedBar("AAPL", 1.0, 2.0, 0.5, 1.5, 9.0) for day_ns in days_ns}}
    async with fake.running():
        provider = LivePlay(fake, tmp_path).provider
        bars = await provider.history(["AAPL", "MSFT"], days_ns[0], days_ns[1] + _DAY_NS, "1d")
    assert {ticker: columns.start_ns.tolist() for ticker, columns in bars.items()} == {"AAPL": days_ns}
    asked = [parse_qs(urlsplit(path).query) for path in fake.requests]
    assert [(each["symbol"], each["resolution"]) for each in asked] == [(["AAPL"], ["D"]), (["MSFT"], ["D"])]


async def test_neither_a_request_nor_an_error_shows_the_key(tmp_path: Path) -> None:
    fake = FakeFinnhub()
    async with fake.running():
        provider = LivePlay(fake, tmp_path).provider
        await provider.history(["AAPL"], BEGIN_NS - MINUTE_NS, BEGIN_NS, "1m")
        settings = fake.settings(finnhub_stream_url="http://not-a-stream")
        wrong = fake.provider(LivePlay(fake, tmp_path).calls, settings=settings)
        with pytest.raises(StopAndSayError, match="its address") as raised:
            await anext(wrong.ticks(["AAPL"]))
    with pytest.raises(ProviderAwayError) as away:  # nobody listens there any more
        await anext(provider.ticks(["AAPL"]))
    for shown in (*fake.requests, str(raised.value), str(away.value), repr(settings)):
        assert settings.finnhub_api_key.get_secret_value() not in shown


@pytest.mark.parametrize("prefix", ["", "TICKCAST_"])
def test_the_key_comes_by_finnhubs_own_variable_and_by_ours(
    prefix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(f"{prefix}FINNHUB_API_KEY", "fromenvironment")
    assert load_settings(FinnhubSettings).finnhub_api_key.get_secret_value() == "fromenvironment"


async def test_who_has_no_key_is_told_what_to_set(tmp_path: Path) -> None:
    fake = FakeFinnhub()
    async with fake.running():
        with pytest.raises(StopAndSayError, match="FINNHUB_API_KEY"):
            fake.provider(LivePlay(fake, tmp_path).calls, key="")
