"""What is particular to Alpha Vantage; what holds for every provider is in test_providers.py."""

import asyncio
import json
import time
from collections.abc import Callable
from math import inf
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from ingestor.commanding.providers import look_at
from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.live.figures import LiveFigures
from ingestor.sources.live.opening import open_feed, open_provider
from ingestor.sources.live.polling import poll_pause_seconds
from ingestor.sources.live.provider import (
    MINUTE_BARS_SILENCE_SECONDS,
    BudgetSpentError,
    Limits,
    NoHistoryError,
    ProviderAwayError,
)
from ingestor.sources.live.sessions import Session, Sessions
from ingestor.sources.live.settings import LiveSettings
from ingestor.sources.providers.alphavantage import AlphaVantageSettings
from ingestor.sources.providers.alphavantage_answers import DayLimitError, read_bars, require_data
from ingestor.sources.providers.alphavantage_questions import daily_questions, intraday_questions
from schemas.errors import StopAndSayError
from schemas.settings import load_settings
from schemas.times import NS_PER_SECOND, from_rfc3339, interval_ns, to_rfc3339
from tests.ingestor.live_play import BEGIN_NS, MINUTE_NS, LivePlay
from tests.ingestor.providers.alphavantage import FakeAlphaVantage
from tests.ingestor.providers.fake import KEY, until

_DAY_NS = interval_ns("1d")
_DAY_SPENT = {
    "Information": f"We have detected your API key as {KEY} and our standard API rate limit is 25 requests per day. "
    "Please subscribe to any of the premium plans to instantly remove all daily rate limits."
}


def _figures() -> LiveFigures:
    return LiveFigures("alphavantage", CollectorRegistry())


@pytest.fixture
def in_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., LiveSettings]:
    """Set variables of the environment, which has a key, and give what all live sources are told."""
    monkeypatch.chdir(tmp_path)

    def one(**variables: str) -> LiveSettings:
        for name, value in ({"ALPHA_VANTAGE_API_KEY": KEY} | variables).items():
            monkeypatch.setenv(name, value)
        return load_settings(LiveSettings)

    return one


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (_DAY_SPENT, DayLimitError),
        ({"Note": "Our standard API call frequency is 5 calls per minute and 500 calls per day."}, ProviderAwayError),
        (
            {
                "Information": "Please consider spreading out your free API requests more sparingly. You may subscribe "
                "to lift the free key rate limit (25 requests per day) and instantly unlock all premium endpoints"
            },
            ProviderAwayError,
        ),
        ({"Information": "This is a premium endpoint. You may subscribe to any of the premium plans"}, StopAndSayError),
        ({"Information": "The outputsize=full parameter value is a premium feature"}, StopAndSayError),
        ({"Error Message": "the parameter apikey is invalid or missing."}, StopAndSayError),
        ({"Error Message": "Invalid API call. Please retry or visit the documentation"}, StopAndSayError),
        ({"Something": "new"}, ProviderAwayError),
        ({}, ProviderAwayError),
    ],
)
def test_an_answer_without_data_is_a_no_whatever_its_words(answer: dict[str, str], error: type[Exception]) -> None:
    with pytest.raises(error) as raised:
        require_data(json.dumps(answer).encode(), BEGIN_NS)
    assert type(raised.value) is error


@pytest.mark.parametrize("name", ["Global Quote", "Global Quote - DATA DELAYED BY 15 MINUTES", "Time Series (1min)"])
def test_data_is_data_although_there_are_words_beside_it(name: str) -> None:
    body = json.dumps({"Note": "5 calls per minute", name: {}}).encode()
    assert require_data(body, BEGIN_NS) == body


async def test_after_a_day_that_is_spent_by_its_own_words_nothing_is_asked_until_new_yorks_midnight(
    tmp_path: Path,
) -> None:
    fake = FakeAlphaVantage()
    fake.no = [_DAY_SPENT]
    fake.history = {"AAPL": {BEGIN_NS // MINUTE_NS * MINUTE_NS: PlayedBar("AAPL", 1.0, 2.0, 0.5, 1.5, 9.0)}}
    async with fake.running():
        provider = LivePlay(fake, tmp_path).provider
        for _ in range(3):
            with pytest.raises(BudgetSpentError) as raised:
                await provider.history(["AAPL"], 0, BEGIN_NS, "1d")
            assert KEY not in str(raised.value)
        assert len(fake.requests) == 1
        fake.now_ns = from_rfc3339("2026-11-26T05:00:01Z")
        assert len((await provider.history(["AAPL"], 0, BEGIN_NS + _DAY_NS, "1d"))["AAPL"]) == 1


def test_times_are_new_yorks_in_summer_and_in_winter_and_days_are_days() -> None:
    row = {"1. open": "1", "2. high": "2", "3. low": "0.5", "4. close": "1.5", "5. volume": "9"}
    texts = ["2026-10-30 09:30:00", "2026-11-02 09:30:00"]  # before and after the clocks change
    body = json.dumps({"Time Series (1min)": dict.fromkeys(texts, row)}).encode()
    starts = sorted(to_rfc3339(int(start) * NS_PER_SECOND) for start, *_ in read_bars(body, "1m"))
    assert starts == ["2026-10-30T13:30:00Z", "2026-11-02T14:30:00Z"]
    body = json.dumps({"Time Series (Daily)": {"2026-10-30": row}}).encode()
    assert to_rfc3339(int(read_bars(body, "1d")[0][0]) * NS_PER_SECOND) == "2026-10-30T00:00:00Z"


def test_days_before_a_split_are_on_the_scale_of_today() -> None:
    def row(price: float, adjusted: float, volume: int, split: float) -> dict[str, str]:
        prices = {"1. open": price, "2. high": price + 2, "3. low": price - 2, "4. close": price}
        rest = {"5. adjusted close": adjusted, "6. volume": volume, "8. split coefficient": split}
        return {name: str(value) for name, value in (prices | rest).items()}

    series = {"2026-11-25": row(50.0, 50.0, 400, 2.0), "2026-11-24": row(100.0, 50.0, 100, 1.0)}
    after, before = read_bars(json.dumps({"Time Series (Daily)": series}).encode(), "1d")
    assert after[1:] == (50.0, 52.0, 48.0, 50.0, 400.0)
    assert before[1:] == (50.0, 51.0, 49.0, 50.0, 200.0)


@pytest.mark.parametrize(
    ("limits", "left", "open_seconds", "pause"),
    [
        (Limits(), None, 3_600, 1.0),
        (Limits(per_minute=75), None, 3_600, 1.0),
        (Limits(per_minute=5), None, 3_600, 15.0),
        (Limits(per_minute=5, per_day=25), 25, 23_400, 1_170.0),
        (Limits(per_minute=5, per_day=25), 7, 3_600, 1_800.0),
        (Limits(per_minute=5, per_day=25), 5, 3_600, inf),
        (Limits(per_minute=5, per_day=500), 500, 23_400, 58.5),
    ],
)
def test_the_days_requests_are_spread_over_what_is_left_of_the_session_and_a_share_is_kept(
    limits: Limits, left: int | None, open_seconds: float, pause: float
) -> None:
    assert poll_pause_seconds(limits, left, open_seconds, kept_share=0.2, least_seconds=1.0) == pytest.approx(pause)


async def test_while_the_exchange_is_closed_nothing_is_asked(tmp_path: Path) -> None:
    fake = FakeAlphaVantage(
        sessions=Sessions([Session(BEGIN_NS + 60 * NS_PER_SECOND, BEGIN_NS + 3_600 * NS_PER_SECOND)])
    )
    async with fake.running():
        ticks = LivePlay(fake, tmp_path).provider.ticks(["AAPL"])
        assert await anext(ticks) == []
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(ticks), 0.2)
    assert fake.asked == []


async def test_the_free_plan_plays_a_day_once_in_the_night_after_it(tmp_path: Path) -> None:
    opens_ns, closes_ns = from_rfc3339("2026-11-25T14:30:00Z"), from_rfc3339("2026-11-25T21:00:00Z")
    fake = FakeAlphaVantage(plan="free", sessions=Sessions([Session(opens_ns, closes_ns)]))
    fake.now_ns = closes_ns + 6 * 3_600 * NS_PER_SECOND  # 15:00 of the market that is told of
    fake.quotes = {"AAPL": ("2026-11-25", 100.0, 41.0), "MSFT": ("2026-11-24", 200.0, 41.0)}
    async with fake.running():
        ticks = LivePlay(fake, tmp_path).provider.ticks(["AAPL", "MSFT"])
        heard = await anext(ticks)
        waiting = asyncio.ensure_future(anext(ticks))
        await until(lambda: fake.polled.get("MSFT", 0) > 3, what="the one to be asked for whose day has not come")
        fake.quotes["MSFT"] = ("2026-11-25", 201.0, 8.0)
        heard += await waiting
        waiting = asyncio.ensure_future(anext(ticks))
        await asyncio.sleep(0.1)
        asked = sum(fake.polled.values())
        await asyncio.sleep(0.1)
        waiting.cancel()
    rows = [(tick.ticker, tick.price, tick.size) for tick in heard]  # type: ignore[union-attr]
    assert [row[1] for row in rows[:4]] == [99.0, 98.0, 101.0, 100.0]
    assert sum(row[2] for row in rows[:4]) == 0.0  # of what was traded before it was connected nothing is known
    assert rows[4:] == [("MSFT", 200.0, 2.0), ("MSFT", 199.0, 2.0), ("MSFT", 202.0, 2.0), ("MSFT", 201.0, 2.0)]
    assert fake.polled["AAPL"] == 1
    assert sum(fake.polled.values()) == asked
    assert {to_rfc3339(tick.time_ns)[:16] for tick in heard} == {"2026-11-25T15:00"}  # type: ignore[union-attr]


async def test_on_the_free_plan_a_gap_lacks_nothing_unless_a_day_was_missed(tmp_path: Path) -> None:
    opens_ns = [from_rfc3339(f"2026-11-{day}T14:30:00Z") for day in (24, 25)]
    sessions = Sessions([Session(open_ns, open_ns + 6 * 3_600 * NS_PER_SECOND) for open_ns in opens_ns])
    fake = FakeAlphaVantage(plan="free", sessions=sessions)
    fake.now_ns = opens_ns[1] + 13 * 3_600 * NS_PER_SECOND  # an hour after the open of the market that is told of
    async with fake.running():
        provider = LivePlay(fake, tmp_path).provider
        now_ns = fake.now_ns - 12 * 3_600 * NS_PER_SECOND
        assert await provider.history(["AAPL"], from_rfc3339("2026-11-24T22:00:00Z"), now_ns, "1m") == {}
        assert not provider.traits.adjusted
        with pytest.raises(NoHistoryError, match="free plan"):
            await provider.history(["AAPL"], from_rfc3339("2026-11-24T20:00:00Z"), now_ns, "1m")
    assert fake.asked == []


async def test_minutes_are_played_once_each_when_they_have_ended(tmp_path: Path) -> None:
    fake = FakeAlphaVantage("minutes")
    first_ns = BEGIN_NS // MINUTE_NS * MINUTE_NS
    fake.history = {"AAPL": {first_ns + n * MINUTE_NS: PlayedBar("AAPL", 1.0, 3.0, 0.5, 2.0, 40.0) for n in (-1, 0, 1)}}
    async with fake.running():
        ticks = LivePlay(fake, tmp_path).provider.ticks(["AAPL"])
        assert await anext(ticks) == []
        fake.now_ns = first_ns + 2 * MINUTE_NS + 3 * NS_PER_SECOND
        heard = await asyncio.wait_for(anext(ticks), 10)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(ticks), 0.2)
    assert [tick.price for tick in heard] == [1.0, 0.5, 3.0, 2.0] * 2  # type: ignore[union-attr]
    assert min(tick.time_ns for tick in heard) == first_ns  # type: ignore[union-attr]


async def test_minutes_of_all_tickers_go_out_together_for_one_alone_would_end_the_minute_of_the_others(
    tmp_path: Path,
) -> None:
    fake = FakeAlphaVantage("minutes")
    first_ns = BEGIN_NS // MINUTE_NS * MINUTE_NS
    starts = [first_ns + minute * MINUTE_NS for minute in range(3)]
    bars = {name: {start: PlayedBar(name, 1.0, 3.0, 0.5, 2.0, 40.0) for start in starts} for name in ("AAPL", "MSFT")}
    fake.history = {"AAPL": bars["AAPL"]}
    async with fake.running():
        ticks = LivePlay(fake, tmp_path).provider.ticks(["AAPL", "MSFT"])
        assert await anext(ticks) == []
        fake.now_ns = starts[1] + NS_PER_SECOND  # the bar of one is there before that of the other
        asked = fake.polled.get("MSFT", 0)
        waiting = asyncio.ensure_future(anext(ticks))
        await until(lambda: fake.polled.get("MSFT", 0) > asked + 1, what="a round without a bar")
        assert not waiting.done()
        fake.history["MSFT"] = bars["MSFT"]
        fake.now_ns = starts[1] + 3 * NS_PER_SECOND
        first = await asyncio.wait_for(waiting, 10)
        waiting = asyncio.ensure_future(anext(ticks))
        await until(lambda: fake.polled["AAPL"] > fake.polled["MSFT"] + 1, what="the midst of a round")
        fake.now_ns = starts[2] + 3 * NS_PER_SECOND  # a minute ends between the questions
        second = await asyncio.wait_for(waiting, 10)
        await ticks.aclose()
    for heard, start_ns in ((first, starts[0]), (second, starts[1])):
        told = {(tick.ticker, tick.time_ns // MINUTE_NS * MINUTE_NS) for tick in heard}  # type: ignore[union-attr]
        assert told == {("AAPL", start_ns), ("MSFT", start_ns)}


async def test_the_last_minute_of_a_session_is_asked_for_after_the_close_until_every_ticker_has_it(
    tmp_path: Path,
) -> None:
    last_ns = BEGIN_NS // MINUTE_NS * MINUTE_NS + MINUTE_NS
    close_ns = last_ns + MINUTE_NS
    fake = FakeAlphaVantage("minutes", sessions=Sessions([Session(close_ns - 6 * 60 * MINUTE_NS, close_ns)]))
    bars = {name: PlayedBar(name, 1.0, 3.0, 0.5, 2.0, 40.0) for name in ("AAPL", "MSFT")}
    fake.history = {"AAPL": {last_ns: bars["AAPL"]}}
    async with fake.running():
        ticks = LivePlay(fake, tmp_path).provider.ticks(["AAPL", "MSFT"])
        await anext(ticks)
        fake.now_ns = close_ns + 3 * NS_PER_SECOND
        heard = await asyncio.wait_for(anext(ticks), 10)
        fake.history["MSFT"] = {last_ns: bars["MSFT"]}  # later than it should
        heard += await asyncio.wait_for(anext(ticks), 10)
        waiting = asyncio.ensure_future(anext(ticks))
        await asyncio.sleep(0.1)
        asked = sum(fake.polled.values())
        await asyncio.sleep(0.1)
        waiting.cancel()
    assert [tick.ticker for tick in heard] == ["AAPL"] * 4 + ["MSFT"] * 4  # type: ignore[union-attr]
    assert {tick.time_ns // MINUTE_NS * MINUTE_NS for tick in heard} == {last_ns}  # type: ignore[union-attr]
    assert sum(fake.polled.values()) == asked


@pytest.mark.parametrize(
    ("stream", "per_day", "seconds"),
    [("minutes", 0, MINUTE_BARS_SILENCE_SECONDS), ("quotes", 0, 0.0), ("minutes", 500, 23_400.0)],
)
async def test_between_two_minutes_there_is_nothing_and_that_is_no_muteness(
    tmp_path: Path, stream: str, per_day: int, seconds: float
) -> None:
    async with (fake := FakeAlphaVantage(stream)).running():
        calls = LivePlay(fake, tmp_path).calls
        provider = fake.provider(calls, alphavantage_requests_per_day=per_day)
    assert provider.traits.longest_silence_seconds == seconds


def test_as_little_is_asked_for_as_does() -> None:
    now_ns = from_rfc3339("2026-11-25T15:00:00Z")
    short = intraday_questions(now_ns - 90 * MINUTE_NS, now_ns, now_ns, "1m")
    assert [(question["outputsize"], question.get("month")) for question in short] == [("compact", None)]
    weeks = intraday_questions(now_ns - 20 * _DAY_NS, now_ns, now_ns, "1m")
    assert [(question["outputsize"], question.get("month")) for question in weeks] == [("full", None)]
    long = intraday_questions(from_rfc3339("2025-11-30"), from_rfc3339("2026-02-01T05:00:01Z"), now_ns, "5m")
    assert [question["month"] for question in long] == ["2025-11", "2025-12", "2026-01", "2026-02"]
    assert daily_questions(0, now_ns, adjusted=True)[0]["function"] == "TIME_SERIES_DAILY_ADJUSTED"
    assert daily_questions(0, now_ns, adjusted=False) == [{"function": "TIME_SERIES_DAILY", "outputsize": "compact"}]


@pytest.mark.parametrize("prefix", ["", "TICKCAST_"])
def test_the_key_comes_by_its_own_variable_and_by_ours_and_is_not_shown(
    prefix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(f"{prefix}ALPHA_VANTAGE_API_KEY", "keyfromenvironment")
    settings = load_settings(AlphaVantageSettings)
    assert settings.alpha_vantage_api_key.get_secret_value() == "keyfromenvironment"
    assert "fromenvironment" not in repr(settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"ALPHA_VANTAGE_API_KEY": ""}, "set ALPHA_VANTAGE_API_KEY"),
        ({"TICKCAST_INTERVAL": "1m"}, "--interval 1d"),
        ({"TICKCAST_INTERVAL": "1d", "TICKCAST_ALPHAVANTAGE_STREAM": "minutes"}, "ALPHAVANTAGE_PLAN"),
    ],
)
def test_what_cannot_be_played_is_said_before_anything_is_sent(
    in_environment: Callable[..., LiveSettings], settings: dict[str, str], words: str
) -> None:
    with pytest.raises(StopAndSayError, match=words):
        open_feed("alphavantage", in_environment(**settings), _figures())


async def test_while_a_minute_market_plays_the_free_plan_is_listed_and_asked_for_days(
    in_environment: Callable[..., LiveSettings], tmp_path: Path
) -> None:
    fake = FakeAlphaVantage(plan="free")
    day_ns = from_rfc3339("2026-11-24")
    fake.history = {"AAPL": {day_ns: PlayedBar("AAPL", 1.0, 2.0, 0.5, 1.5, 9.0)}}
    async with fake.running():
        settings = in_environment(
            TICKCAST_INTERVAL="1m", TICKCAST_ALPHAVANTAGE_URL=f"http://127.0.0.1:{fake.port}/query"
        )
        [row] = await look_at(["alphavantage"], settings, ask=False)
        bars = await open_provider("alphavantage", _figures(), settings).history(
            ["AAPL"], day_ns, day_ns + _DAY_NS, "1d"
        )
    assert (row.key, row.note, row.left["day"]) == ("yes", "", 25)
    assert len(bars["AAPL"]) == 1


def test_after_the_close_silence_says_nothing_until_the_last_minute_had_time_to_come(
    in_environment: Callable[..., LiveSettings],
) -> None:
    settings = in_environment(TICKCAST_ALPHAVANTAGE_STREAM="minutes", TICKCAST_ALPHAVANTAGE_PLAN="realtime")
    feed = open_feed("alphavantage", settings, _figures())
    now_ns = time.time_ns()
    close_ns = feed.sessions.between(now_ns - 20 * _DAY_NS, now_ns)[-1].close_ns
    feed.hearing.connected(close_ns - 5 * MINUTE_NS)
    feed.hearing.heard(close_ns - MINUTE_NS - 1, close_ns - 50 * NS_PER_SECOND)
    late_ns = int(settings.source_lateness_seconds * NS_PER_SECOND)
    assert feed.hearing.watermark_ns(close_ns + 40 * MINUTE_NS, idle=True) == close_ns - MINUTE_NS
    assert feed.hearing.watermark_ns(close_ns + 61 * MINUTE_NS, idle=True) == close_ns + 61 * MINUTE_NS - late_ns
