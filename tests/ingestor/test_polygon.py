"""What is particular to Polygon; what holds for every provider is in test_providers.py."""

import asyncio
from pathlib import Path

import pytest

from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.live.provider import Limits, ProviderAwayError
from ingestor.sources.providers.polygon import PolygonSettings
from schemas.errors import StopAndSayError
from schemas.settings import load_settings
from schemas.times import NS_PER_SECOND, from_rfc3339, interval_ns
from tests.ingestor.fold import FoldedBar
from tests.ingestor.live_play import MINUTE_NS, OPEN_NS, LivePlay
from tests.ingestor.providers.polygon import FakePolygon

_DAY_NS = interval_ns("1d")
_DELAY_NS = 900 * NS_PER_SECOND


@pytest.mark.parametrize(
    ("status", "words", "error", "advice"),
    [
        ("auth_failed", "authentication failed", StopAndSayError, "POLYGON_API_KEY"),
        ("auth_failed", "Your plan doesn't include websocket access. Visit the site", StopAndSayError, "has no stream"),
        ("auth_failed", "something new", StopAndSayError, "the key, or the plan"),
        ("error", "You don't have access real-time data. If your plan", StopAndSayError, "FEED=delayed"),
        ("error", "not authorized", StopAndSayError, "POLYGON_STREAM=seconds"),
        ("error", "something new", ProviderAwayError, "stream"),
        ("max_connections", "Maximum number of websocket connections exceeded.", ProviderAwayError, "stream"),
        ("auth_timeout", "No authentication request received.", ProviderAwayError, "stream"),
    ],
)
async def test_a_streams_status_stops_where_trying_again_would_not_help(
    tmp_path: Path, status: str, words: str, error: type[Exception], advice: str
) -> None:
    fake = FakePolygon()
    fake.refusal = (status, words)
    async with fake.running():
        with pytest.raises(error, match=advice) as raised:
            await anext(LivePlay(fake, tmp_path).provider.ticks(["AAPL"]))
    assert f"{status}: {words}" in str(raised.value)


@pytest.mark.parametrize("greeting", ["[]", '[{"status": "connected"}]', '[{"ev": "status", "status": [1]}]'])
async def test_another_greeting_is_that_of_a_provider_that_is_away(tmp_path: Path, greeting: str) -> None:
    fake = FakePolygon()
    fake.greeting = greeting
    async with fake.running():
        with pytest.raises(ProviderAwayError, match="no connected"):
            await anext(LivePlay(fake, tmp_path).provider.ticks(["AAPL"]))


@pytest.mark.parametrize(("stream", "length_ns"), [("seconds", NS_PER_SECOND), ("minutes", MINUTE_NS)])
async def test_bars_of_the_stream_are_played_as_ticks_that_fold_to_them(
    tmp_path: Path, stream: str, length_ns: int
) -> None:
    fake = FakePolygon(stream)
    async with fake.running():
        play = LivePlay(fake, tmp_path)
        async with play.playing():
            await play.connected()
            play.clock.jump(60)
            start_ns = play.clock() // MINUTE_NS * MINUTE_NS
            bar = PlayedBar("AAPL", 10.0, 12.0, 9.0, 11.0, 101.0)
            play.clock.jump((start_ns + MINUTE_NS - play.clock()) / 1e9 + 1.5)
            for _ in range(2):  # the second is the same again
                await fake.send_bar(bar, start_ns + MINUTE_NS - length_ns, length_ns)
            await play.heard(4)
    assert play.bars()["AAPL"] == {start_ns: FoldedBar(10.0, 12.0, 9.0, 11.0, 101.0, 4)}


async def test_delayed_prices_are_neither_mute_nor_passed_over(tmp_path: Path) -> None:
    fake = FakePolygon("minutes", "delayed")
    async with fake.running():
        play = LivePlay(fake, tmp_path)
        play.clock.jump((OPEN_NS - play.clock()) / 1e9 + 300)  # five minutes after the open
        async with play.playing():
            await play.connected()
            play.clock.jump(590)  # ten minutes later the first prices are told
            await asyncio.sleep(0.6)
            assert play.source.health().trouble is None
            for minute in range(3):
                bar = PlayedBar("AAPL", 10.0, 12.0, 9.0, 11.0 + minute, 101.0)
                told_ns = OPEN_NS + (minute + 1) * MINUTE_NS + _DELAY_NS
                play.clock.jump((told_ns - play.clock()) / 1e9 + 1.5)
                await fake.send_bar(bar, OPEN_NS + minute * MINUTE_NS, MINUTE_NS)
                await play.heard(4 * (minute + 1))
            health = play.source.health()
            assert health.trouble is None
            assert 900 < (health.latency_seconds or 0) < 910
            assert 0 <= play.clock() - (health.last_tick_ns or 0) < 10 * NS_PER_SECOND
    assert sorted(play.bars()["AAPL"]) == [OPEN_NS + minute * MINUTE_NS for minute in range(3)]
    assert play.moments[-1].watermark_ns == OPEN_NS + 3 * MINUTE_NS
    assert fake.connections == 1


async def test_a_day_is_asked_for_by_its_date_and_starts_at_midnight_utc(tmp_path: Path) -> None:
    fake = FakePolygon()
    fake.day_begins_ns = 5 * 3_600 * NS_PER_SECOND
    days_ns = [from_rfc3339(day) for day in ("2026-11-23", "2026-11-24")]
    fake.history = {"AAPL": {day_ns: PlayedBar("AAPL", 1.0, 2.0, 0.5, 1.5, 9.0) for day_ns in days_ns}}
    async with fake.running():
        bars = await LivePlay(fake, tmp_path).provider.history(["AAPL"], days_ns[0], days_ns[1] + _DAY_NS, "1d")
    assert bars["AAPL"].start_ns.tolist() == days_ns
    assert "/range/1/day/2026-11-23/2026-11-24?" in fake.requests[0]


@pytest.mark.parametrize("variable", ["POLYGON_API_KEY", "MASSIVE_API_KEY"])
@pytest.mark.parametrize("prefix", ["", "TICKCAST_"])
def test_the_key_comes_by_polygons_own_variables_and_by_ours_and_is_not_shown(
    prefix: str, variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(f"{prefix}{variable}", "keyfromenvironment")
    settings = load_settings(PolygonSettings)
    assert settings.polygon_api_key.get_secret_value() == "keyfromenvironment"
    assert "fromenvironment" not in repr(settings)


def test_the_plan_and_the_old_addresses_are_settings() -> None:
    assert PolygonSettings(_env_file=None).stream_url == "wss://delayed.massive.com"
    assert PolygonSettings(_env_file=None).limits == Limits(per_minute=5)
    paid = PolygonSettings(_env_file=None, polygon_feed="realtime", polygon_requests_per_minute=0)
    assert (paid.stream_url, paid.limits) == ("wss://socket.massive.com", Limits())
    old = PolygonSettings(_env_file=None, polygon_stream_url="wss://socket.polygon.io")
    assert old.stream_url == "wss://socket.polygon.io"


async def test_who_has_no_key_is_told_what_to_set(tmp_path: Path) -> None:
    fake = FakePolygon()
    async with fake.running():
        with pytest.raises(StopAndSayError, match="POLYGON_API_KEY"):
            fake.provider(LivePlay(fake, tmp_path).calls, key="")
