"""The contract of every live source, against a local server that speaks its provider's protocol.

A provider that is added to `FAKES` runs all of this. With the marker `live`, what can be asked of the real service is
asked of it, where its key is set.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.live.figures import LiveFigures
from ingestor.sources.live.opening import open_provider
from ingestor.sources.live.provider import BudgetSpentError, Limits, NoHistoryError, ProviderAwayError
from ingestor.sources.live.settings import LiveSettings
from ingestor.sources.moments import Moment
from schemas.errors import StopAndSayError
from schemas.events import Origin, Tick
from schemas.source_settings import LIVE_SOURCES
from schemas.times import bar_start_ns, from_rfc3339
from tests.ingestor.fold import fold, ticks_of
from tests.ingestor.live_play import BEGIN_NS, MINUTE_NS, LivePlay
from tests.ingestor.providers import FAKES
from tests.ingestor.providers.alpaca import FakeAlpaca
from tests.ingestor.providers.alphavantage import FakeAlphaVantage
from tests.ingestor.providers.fake import KEY, SECRET, FakeProvider, until
from tests.ingestor.providers.polygon import FakePolygon

_NOW_MINUTE = bar_start_ns(BEGIN_NS, MINUTE_NS)
_SECOND = 10**9

Sent = tuple[str, int, float, float, int]


def test_every_live_source_has_a_fake() -> None:
    assert set(FAKES) == set(LIVE_SOURCES)


@pytest.mark.parametrize(
    "fakes",
    [
        [FakeAlpaca("trades"), FakeAlpaca("bars")],
        [FakePolygon("trades", "realtime"), FakePolygon("seconds", "delayed")],
        [FakeAlphaVantage("quotes", "realtime"), FakeAlphaVantage("minutes", "delayed")],
    ],
)
async def test_bars_of_the_past_are_used_again_whatever_is_streamed(fakes: list[FakeProvider], tmp_path: Path) -> None:
    contents = []
    for fake in fakes:
        async with fake.running():
            contents.append(LivePlay(fake, tmp_path).provider.traits.content)
    assert contents[0] == contents[1]


@pytest.fixture(params=sorted(FAKES))
async def fake(request: pytest.FixtureRequest) -> AsyncIterator[FakeProvider]:
    provider = FAKES[request.param]()
    async with provider.running():
        yield provider


@pytest.fixture(autouse=True)
def _the_key_is_never_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    records = caplog.get_records("call")  # at this place `caplog.records` has those of the teardown only
    ours = [record for record in records if not record.name.startswith("websockets.server")]  # the fake's
    logged = [record.getMessage() + str(record.exc_info) for record in ours]
    shown = {form for key in (KEY, SECRET) for form in (key, key[:4].encode().hex(" "))}
    assert not [line for line in logged for form in shown if form in line]


def _market(minutes: int, first_ns: int = _NOW_MINUTE, *, every: int = 5) -> list[Sent]:
    """Give a tick of both tickers every few seconds, prices that wander, numbers that count."""
    return [
        (
            ticker,
            first_ns + step * every * _SECOND + 7,
            round(base + (step * 37 % 11) / 10, 2),
            float(step % 4 + 1),
            step,
        )
        for step in range(minutes * 60 // every)
        for ticker, base in (("AAPL", 100.0), ("MSFT", 200.0))
    ]


def _put_history(fake: FakeProvider, ticks: list[Sent]) -> None:
    for ticker, bars in fold([tick[:4] for tick in ticks], MINUTE_NS).items():
        for start_ns, bar in bars.items():
            played = PlayedBar(ticker, bar.open, bar.high, bar.low, bar.close, bar.volume)
            fake.history.setdefault(ticker, {})[start_ns] = played


def _require_undisturbed(play: LivePlay, ticks: list[Sent], starts_ns: list[int]) -> None:
    """Check that the bars are those of all the ticks."""
    wanted, made = fold([tick[:4] for tick in ticks], MINUTE_NS), play.bars()
    for ticker, bars in wanted.items():
        for start_ns in starts_ns:
            bar, own = bars[start_ns], made[ticker][start_ns]
            assert (own.open, own.high, own.low, own.close, own.volume) == (
                bar.open,
                bar.high,
                bar.low,
                bar.close,
                bar.volume,
            ), f"{ticker} {(start_ns - _NOW_MINUTE) // _SECOND} s"


async def test_ticks_come_as_they_were_sent_and_watermarks_follow(fake: FakeProvider, tmp_path: Path) -> None:
    play = LivePlay(fake, tmp_path)
    ticks = _market(1, BEGIN_NS)
    async with play.playing():
        await play.connected()
        for pair in range(0, len(ticks), 2):
            await fake.send(*ticks[pair : pair + 2])
        await play.heard(len(ticks))
        told = [(ticker, ns - ns % fake.precision_ns, price, size) for ticker, ns, price, size, _ in ticks]
        if fake.counts_day_volume:
            told[:2] = [(*tick[:3], 0.0) for tick in told[:2]]
        assert ticks_of(play.moments) == told
        assert {(moment.origin, moment.provider) for moment in play.moments if moment.tickers} == {
            (Origin.NORMAL, "fake")
        }
        positions = [moment.position for moment in play.moments]
        assert positions == sorted(set(positions))
        health = play.source.health()
        assert health.trouble is None
        assert health.last_tick_ns is not None
        play.clock.jump(10)
        await until(lambda: play.moments[-1].watermark_ns is not None, what="a watermark")
        marks = [moment.watermark_ns for moment in play.moments if moment.watermark_ns]
        assert marks == sorted(marks)


async def test_a_wrong_key_stops_and_says_so(fake: FakeProvider, tmp_path: Path) -> None:
    play = LivePlay(fake, tmp_path)
    wrong = fake.provider(play.calls, key="PKwrong", secret="wrong")
    if fake.keyless:  # there is nothing to refuse: whoever asks is answered
        assert await anext(wrong.ticks(["AAPL"])) == []
        assert await wrong.history(["AAPL"], _NOW_MINUTE - MINUTE_NS, _NOW_MINUTE, "1m") == {}
        return
    with pytest.raises(StopAndSayError, match="key"):
        await anext(wrong.ticks(["AAPL"]))
    with pytest.raises(StopAndSayError, match="key"):
        await wrong.history(["AAPL"], _NOW_MINUTE - MINUTE_NS, _NOW_MINUTE, "1m")
    assert len(fake.requests) <= 1


async def test_history_comes_whole_in_order_and_between_its_bounds(fake: FakeProvider, tmp_path: Path) -> None:
    first_ns = _NOW_MINUTE - 10 * MINUTE_NS
    ticks = _market(10, first_ns)
    _put_history(fake, ticks)
    bars = await LivePlay(fake, tmp_path).provider.history(
        ["AAPL", "MSFT"], first_ns + MINUTE_NS, _NOW_MINUTE - MINUTE_NS, "1m"
    )
    assert sorted(bars) == ["AAPL", "MSFT"]
    wanted = fold([tick[:4] for tick in ticks], MINUTE_NS)
    for ticker, columns in bars.items():
        assert columns.start_ns.tolist() == [first_ns + minute * MINUTE_NS for minute in range(1, 9)]
        assert columns.volume.tolist() == [wanted[ticker][start].volume for start in columns.start_ns.tolist()]
        assert columns.close.tolist() == [wanted[ticker][start].close for start in columns.start_ns.tolist()]


async def test_a_spent_budget_sends_nothing_and_an_unfilled_gap_is_said(fake: FakeProvider, tmp_path: Path) -> None:
    play = LivePlay(fake, tmp_path, limits=Limits(per_day=1))
    await play.provider.history(["AAPL"], _NOW_MINUTE - MINUTE_NS, _NOW_MINUTE, "1m")
    with pytest.raises(BudgetSpentError):
        await play.provider.history(["AAPL"], _NOW_MINUTE - MINUTE_NS, _NOW_MINUTE, "1m")
    position = (5, _NOW_MINUTE - 3 * MINUTE_NS)
    async with play.playing(position, [position]):
        await play.connected()
        if not fake.polls:  # what polls has no ticks then, and asks for none
            await fake.send(("AAPL", play.clock(), 100.0, 1.0, 1))
            await play.heard(1)
        await until(lambda: bool(play.moments), what="the gap to be said")
    assert len(fake.requests) == 1
    rejected = [bad for moment in play.moments for bad in moment.rejected]
    assert [bad.code for bad in rejected] == ["gap"]
    assert "the plan allows no further request" in rejected[0].reason
    assert play.count("tickcast_source_gaps_total", result="unfilled") == 1
    assert play.count("tickcast_source_requests_total", result="withheld") == 2


@pytest.mark.parametrize("answers", [[(429, "0")], [(429, None)], [(500, None), (503, None)]])
async def test_a_provider_in_trouble_is_asked_again(
    fake: FakeProvider, tmp_path: Path, answers: list[tuple[int, str | None]]
) -> None:
    _put_history(fake, _market(1, _NOW_MINUTE - MINUTE_NS))
    fake.answers = list(answers)
    bars = await LivePlay(fake, tmp_path).provider.history(["AAPL"], _NOW_MINUTE - MINUTE_NS, _NOW_MINUTE, "1m")
    assert len(bars["AAPL"]) == 1
    assert len(fake.requests) == len(answers) + 1


@pytest.mark.parametrize("status", [502, 302])  # the second sends us elsewhere, which would be outside of the budget
async def test_a_provider_that_stays_in_trouble_is_given_up(fake: FakeProvider, tmp_path: Path, status: int) -> None:
    fake.answers = [(status, None)] * 99
    with pytest.raises(ProviderAwayError):
        await LivePlay(fake, tmp_path).provider.history(["AAPL"], _NOW_MINUTE - MINUTE_NS, _NOW_MINUTE, "1m")
    assert len(fake.requests) == 4


@pytest.mark.parametrize(
    "body",
    [
        b"no JSON",
        b'"words"',
        b"[1]",
        b'{"bars": {"AAPL": [{"t": 1}]}, "results": [{"t": 1}], "s": "ok", "chart": null, "Time Series (x)": {"a": 1}}',
        b'{"bars": [1], "results": [1], "t": 1, "chart": {"result": {"meta": 1}}, "Time Series (x)": [1]}',
    ],
)
async def test_an_answer_of_another_form_is_one_of_a_provider_that_is_away(
    fake: FakeProvider, tmp_path: Path, body: bytes
) -> None:
    fake.body = body
    with pytest.raises(ProviderAwayError):
        await LivePlay(fake, tmp_path).provider.history(["AAPL"], _NOW_MINUTE - MINUTE_NS, _NOW_MINUTE, "1m")


async def test_a_message_that_nobody_understands_is_kept_and_the_stream_goes_on(
    fake: FakeProvider, tmp_path: Path
) -> None:
    play = LivePlay(fake, tmp_path)
    async with play.playing():
        await play.connected()
        await fake.send_garbage()
        await fake.send(("AAPL", play.clock(), 100.0, 1.0, 1))
        await play.heard(1)
    rejected = [bad for moment in play.moments for bad in moment.rejected]
    assert [bad.code for bad in rejected] == ["message", "message"]
    assert len({bad.place for bad in rejected} - {None}) == 2
    assert fake.connections == 1


async def test_a_broken_stream_is_opened_again_and_its_gap_filled_before_what_comes_next(
    fake: FakeProvider, tmp_path: Path
) -> None:
    play, ticks = LivePlay(fake, tmp_path), _market(8)
    _put_history(fake, ticks)
    whole = [_NOW_MINUTE + minute * MINUTE_NS for minute in range(7)]
    async with play.playing():
        await play.connected()
        await _send_until(play, ticks, whole[2] + 30 * _SECOND)
        await fake.drop()
        play.clock.jump(145)  # more than two minutes are missed; more ticks come in the minute that history completes
        await play.connected(2)
        await _send_until(play, ticks, _NOW_MINUTE + 8 * MINUTE_NS)
        await until(lambda: bool(play.moments[-1].tickers), what="the last ticks")
    _require_undisturbed(play, ticks, whole)
    origins = [moment.origin for moment in play.moments if moment.tickers and whole[3] <= moment.times_ns[0] < whole[4]]
    assert set(origins) == {Origin.FILLED}
    assert play.count("tickcast_source_connections_lost_total", reason="away") == 1
    assert play.count("tickcast_source_gaps_total", result="unfilled") == 0


async def _send_until(play: LivePlay, ticks: list[Sent], end_ns: int) -> None:
    """Send the ticks from the clock's time to another, moving the clock with them."""
    for tick in [tick for tick in ticks if play.clock() <= tick[1] < end_ns]:
        play.clock.jump(max(0.0, (tick[1] - play.clock()) / _SECOND))  # two ticks are never heard at one time
        said = play.source.health().last_tick_ns
        await play.fake.send(tick)
        await until(lambda: play.source.health().last_tick_ns != said, what=f"{tick} to come")  # noqa: B023


async def test_a_mute_stream_says_so_then_is_opened_again_and_filled(fake: FakeProvider, tmp_path: Path) -> None:
    play, ticks = LivePlay(fake, tmp_path), _market(6)
    _put_history(fake, ticks)
    async with play.playing():
        await play.connected()
        await _send_until(play, ticks, _NOW_MINUTE + 90 * _SECOND)
        play.clock.jump(40)
        assert "no tick for 4" in str(play.source.health().trouble)
        assert fake.connections == 1
        play.clock.jump(40)
        await play.connected(2)
        await _send_until(play, ticks, _NOW_MINUTE + 6 * MINUTE_NS)
    _require_undisturbed(play, ticks, [_NOW_MINUTE + minute * MINUTE_NS for minute in range(5)])
    assert play.count("tickcast_source_connections_lost_total", reason="mute") == 1


async def test_silence_while_the_exchange_is_closed_is_no_muteness(fake: FakeProvider, tmp_path: Path) -> None:
    play = LivePlay(fake, tmp_path)
    play.clock.jump(7 * 3_600)  # after the close
    async with play.playing():
        await play.connected()
        play.clock.jump(3_600)
        await until(lambda: bool(play.moments) and play.moments[-1].watermark_ns is not None, what="a watermark")
        assert play.clock() - (play.moments[-1].watermark_ns or 0) < 5 * _SECOND
        assert play.source.health().trouble is None
    assert fake.connections == 1


async def test_a_minute_that_was_entered_in_its_midst_is_not_closed_before_its_history_is_there(
    fake: FakeProvider, tmp_path: Path
) -> None:
    play = LivePlay(fake, tmp_path)
    play.clock.jump(7 * 3_600)  # after the close, when silence proves that all has come
    minute_ns = bar_start_ns(play.clock(), MINUTE_NS)
    ticks = _market(2, minute_ns)
    _put_history(fake, ticks)
    async with play.playing():
        await play.connected()
        await _send_until(play, ticks, minute_ns + MINUTE_NS)
        play.clock.stop()
        play.clock.jump((minute_ns + MINUTE_NS + 2 * _SECOND - play.clock()) / _SECOND)
        await asyncio.sleep(1.2)  # it looks each second
        assert not [moment for moment in play.moments if (moment.watermark_ns or 0) > minute_ns]
        play.clock.jump(2)
        await until(lambda: (play.moments[-1].watermark_ns or 0) > minute_ns, what="the end of the minute")
    _require_undisturbed(play, ticks, [minute_ns])


async def test_a_tick_that_history_has_counted_already_is_passed_over(fake: FakeProvider, tmp_path: Path) -> None:
    play, ticks = LivePlay(fake, tmp_path), _market(2, _NOW_MINUTE - MINUTE_NS)
    _put_history(fake, ticks)
    position = (3, _NOW_MINUTE - MINUTE_NS)
    async with play.playing(position, [position]):
        await play.connected()
        await fake.send(("AAPL", _NOW_MINUTE - 1, 77.0, 5.0, 901), ("AAPL", play.clock(), 100.0, 1.0, 902))
        await until(lambda: play.source.health().last_tick_ns is not None, what="both ticks")
        await until(lambda: 100.0 in play.moments[-1].prices, what="the second one")
    assert 77.0 not in [price for _, _, price, _ in ticks_of(play.moments)]
    assert play.count("tickcast_source_ticks_passed_over_total", reason="filled") == 1


async def test_a_tick_that_comes_twice_counts_once_and_one_out_of_order_counts(
    fake: FakeProvider, tmp_path: Path
) -> None:
    play = LivePlay(fake, tmp_path)
    now_ns = BEGIN_NS + 5 * _SECOND
    first, second, third = [("AAPL", now_ns - back * _SECOND, 100.0 + back, 1.0, back) for back in (3, 2, 1)]
    async with play.playing():
        await play.connected()
        if fake.polls:  # nothing is out of order, and the same quote again is no tick, however often it is asked for
            await fake.send(first, second, third, ("AAPL", now_ns, 99.0, 1.0, 0))
            assert [price for _, _, price, _ in ticks_of(play.moments)] == [103.0, 102.0, 101.0, 99.0]
            return
        await fake.send(first, third)
        await fake.send(third, second)
        await fake.send(first)
        await fake.send(("AAPL", now_ns, 99.0, 1.0, 0))
        await play.heard(4)
    assert [price for _, _, price, _ in ticks_of(play.moments)] == [103.0, 101.0, 102.0, 99.0]
    assert play.count("tickcast_source_ticks_passed_over_total", reason="again") == 2


async def test_a_restart_resumes_after_its_own_last_frame_and_counts_nothing_twice(
    fake: FakeProvider, tmp_path: Path
) -> None:

    ticks = _market(6, _NOW_MINUTE - 3 * MINUTE_NS)
    _put_history(fake, ticks)
    cut_ns = BEGIN_NS - 90 * _SECOND
    before = [tick for tick in ticks if tick[1] < cut_ns]
    play = LivePlay(fake, tmp_path)
    position = (40, cut_ns - 2 * _SECOND)
    async with play.playing(position, [position], [Tick(*tick[:4]) for tick in before]):
        await play.connected()
        await _send_until(play, ticks, _NOW_MINUTE + 3 * MINUTE_NS)
    assert play.moments[0].position[0] == 41
    made = fold([tick[:4] for tick in before] + sorted(ticks_of(play.moments), key=lambda tick: tick[1]), MINUTE_NS)
    wanted = fold([tick[:4] for tick in ticks], MINUTE_NS)
    for ticker, bars in wanted.items():
        for start_ns in sorted(bars)[:-1]:
            bar, own = bars[start_ns], made[ticker][start_ns]
            assert (own.high, own.low, own.close, own.volume) == (bar.high, bar.low, bar.close, bar.volume), start_ns


async def test_a_first_start_plays_the_bars_before_it(fake: FakeProvider, tmp_path: Path) -> None:
    ticks = _market(29, _NOW_MINUTE - 29 * MINUTE_NS)
    _put_history(fake, ticks)
    play = LivePlay(fake, tmp_path, warm_up_bars=20)
    async with play.playing():
        await play.connected()
    warm = [moment for moment in play.moments if moment.origin is Origin.WARM_UP]
    assert [moment.watermark_ns for moment in warm] == [
        _NOW_MINUTE - minute * MINUTE_NS for minute in range(19, -1, -1)
    ]
    _require_undisturbed(play, ticks, [_NOW_MINUTE - minute * MINUTE_NS for minute in range(20, 0, -1)])


def _scaled(tick: tuple[str, int, float, float], factor: float) -> tuple[str, int, float, float]:
    """Give a tick of AAPL on another scale; others as they are."""
    ticker, time_ns, price, size = tick
    return (ticker, time_ns, price * factor, size / factor) if ticker == "AAPL" else tick


def _require_told_once(play: LivePlay) -> None:
    """Check that AAPL was split two for one, MSFT was not, and no price came on the wrong side of it."""
    [at] = [at for at, moment in enumerate(play.moments) if moment.rescaled]
    assert play.moments[at].rescaled == {"AAPL": 0.5}
    before, after = ([tick[2] for tick in ticks_of(part) if tick[0] == "AAPL"] for part in _cut(play.moments, at))
    assert min(before, default=200.0) > 150 > max(after)
    assert play.count("tickcast_source_splits_total", result="told") == 1
    assert play.count("tickcast_source_splits_total", result="unclear") == 0


def _cut(moments: list[Moment], at: int) -> tuple[list[Moment], list[Moment]]:
    return moments[:at], moments[at:]


async def test_a_split_in_the_night_is_told_before_the_first_price_of_the_day(
    fake: FakeProvider, tmp_path: Path
) -> None:
    play = LivePlay(fake, tmp_path)
    last_minute_ns = from_rfc3339("2026-11-24T20:59:00Z")
    play.clock.jump((last_minute_ns - play.clock()) / _SECOND)
    evening = _market(1, last_minute_ns)
    old = [(*_scaled(tick[:4], 2.0), tick[4]) for tick in evening]
    async with play.playing():
        await play.connected()
        await fake.send(*old)
        await play.heard(len(old))
        play.clock.jump(3 * 3_600)  # after the close; the exchange was not open for long enough to be mute
        await fake.send(("MSFT", play.clock(), 200.0, 1.0, 900))
        await play.heard(len(old) + 1)
        _put_history(fake, evening)  # on the new scale
        asked = [len(fake.requests)]
        play.clock.jump((BEGIN_NS - 3_600 * _SECOND - play.clock()) / _SECOND)
        for number in range(3):
            await fake.send(("AAPL", play.clock(), 100.0 + number, 1.0, 901 + number))
            await play.heard(len(old) + 2 + number)
            asked.append(len(fake.requests))
        assert asked[0] < asked[1] == asked[3], "once a day is enough"
    _require_told_once(play)


async def test_a_split_between_stop_and_start_is_told_before_the_gap_is_filled(
    fake: FakeProvider, tmp_path: Path
) -> None:
    play, day_before = LivePlay(fake, tmp_path), _market(4, _NOW_MINUTE - 86_400 * _SECOND)
    morning = _market(3, _NOW_MINUTE - 2 * MINUTE_NS)
    _put_history(fake, day_before + morning)
    cut_ns = day_before[0][1] + 150 * _SECOND
    said = [tick[:4] for tick in day_before if tick[1] < cut_ns]
    position = (40, cut_ns)
    async with play.playing(position, [position], [Tick(*_scaled(tick, 2.0)) for tick in said]):
        await play.connected()
        await _send_until(play, morning, _NOW_MINUTE + MINUTE_NS)
    assert play.moments[0].rescaled
    _require_told_once(play)
    made = fold(said + sorted(ticks_of(play.moments), key=lambda tick: tick[1]), MINUTE_NS)
    for ticker, bars in fold([tick[:4] for tick in day_before], MINUTE_NS).items():
        for start_ns, bar in bars.items():
            own = made[ticker][start_ns]
            assert (own.high, own.low, own.close, own.volume) == (bar.high, bar.low, bar.close, bar.volume)


@pytest.mark.live
@pytest.mark.parametrize("name", LIVE_SOURCES)
async def test_the_real_service_has_history_and_accepts_a_subscription(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if request.config.option.markexpr != "live":
        pytest.skip("asks the real service: pytest -m live")
    settings = LiveSettings(source_budget_directory=tmp_path)
    try:
        provider = open_provider(name, LiveFigures(name, CollectorRegistry()), settings)
    except StopAndSayError as error:
        pytest.skip(str(error))
    last_ns = bar_start_ns(BEGIN_NS, 86_400 * _SECOND)
    with suppress(NoHistoryError):  # a plan may have none
        bars = await provider.history(["AAPL"], last_ns - 30 * 86_400 * _SECOND, last_ns, "1d")
        assert 15 <= len(bars["AAPL"]) <= 23
    ticks = provider.ticks(["AAPL"])
    assert isinstance(await asyncio.wait_for(anext(ticks), 30), list)
    await ticks.aclose()
