"""What tells a split, and what becomes of what was said before it."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from ingestor.frames import FrameBuilder, ResumePoint
from ingestor.positions import PositionText
from ingestor.resume import read_kept_log
from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.bars import BarColumns
from ingestor.sources.live.figures import LiveFigures
from ingestor.sources.live.sessions import Session, Sessions
from ingestor.sources.live.splits import Question, Splits, split_factor
from ingestor.sources.moments import Moment
from ingestor.validation import LiveBounds, Validator
from schemas.codec import encode
from schemas.events import Tick, TickFrame
from schemas.partitioning import partition_of
from tests.ingestor.live_play import BEGIN_NS, MINUTE_NS, LivePlay
from tests.ingestor.providers.alpaca import FakeAlpaca
from tests.ingestor.test_resume import ListLog


@pytest.mark.parametrize(
    ("said", "low", "high", "factor"),
    [
        (100.0, 99.0, 101.0, 1.0),
        (100.0, 98.0, 98.4, 1.0),  # a dividend
        (100.0, 49.5, 50.5, 0.5),
        (200.0, 9.98, 10.1, 1 / 20),
        (99.7, 66.0, 66.9, 2 / 3),
        (90.0, 59.0, 61.0, 2 / 3),
        (3.01, 29.9, 30.2, 10.0),
        (80.0, 99.0, 101.0, 5 / 4),
        (100.0, 88.0, 90.0, None),  # a large special dividend, or a mistake: no split
        (100.0, 5_000.0, 20_000.0, 100.0),
    ],
)
def test_a_split_is_a_ratio_of_small_numbers_far_enough_from_one(
    said: float, low: float, high: float, factor: float | None
) -> None:
    assert split_factor(said, low, high) == (None if factor is None else pytest.approx(factor))


def test_a_trading_day_begins_between_a_close_and_the_next_open() -> None:
    sessions = Sessions([Session(100, 200), Session(400, 500), Session(500, 600)])
    assert [sessions.day_of(time_ns) for time_ns in (0, 150, 299, 300, 499, 500, 900)] == [0, 0, 0, 1, 1, 2, 2]


def _moment(number: int, price: float = 0.0, **named: object) -> Moment:
    if named:
        return Moment(position=(number,), **named)  # type: ignore[arg-type]
    tickers = ["AAPL", "MSFT"]
    return Moment(position=(number,), tickers=tickers, times_ns=[number, number], prices=[price, 7.0], sizes=[2.0, 2.0])


def _log() -> list[TickFrame]:
    """Give what a builder makes of two ticks, a split, and a tick, all on one partition."""
    builder = FrameBuilder("s", [ResumePoint()], 100, PositionText({}).write)
    moments = [_moment(1, 100.0), _moment(2, 101.0), _moment(3, rescaled={"AAPL": 0.5}), _moment(4, 50.0)]
    return [frame.frame for moment in moments for frame in builder.add(moment, 0)] + [
        frame.frame for frame in builder.take()
    ]


def test_a_split_has_a_frame_of_its_own_after_all_ticks_before_it() -> None:
    frames = _log()
    assert [frame.sequence for frame in frames] == [0, 1, 2]
    assert [frame.rescaled for frame in frames] == [{}, {"AAPL": 0.5}, {}]
    assert [frame.prices for frame in frames] == [[100.0, 7.0, 101.0, 7.0], [], [50.0, 7.0]]
    builder = FrameBuilder("s", [ResumePoint()] * 4, 100, PositionText({}).write)
    [told] = builder.add(_moment(1, rescaled={"AAPL": 0.5}), 0)
    assert told.partition == partition_of("AAPL", 4)


def test_what_the_log_holds_is_read_back_on_the_scale_of_its_end() -> None:
    many = _log()[:2]
    quiet = [
        TickFrame(
            source="s", sequence=n, position="@1", tickers=[], times_ns=[], prices=[], sizes=[], ingested_at_ns=10**18
        )
        for n in range(2, 60)
    ]
    kept = read_kept_log(ListLog([encode(frame) for frame in many + quiet]), 1, "s", ["AAPL"], lambda _: 0)
    assert kept.last_prices == {"AAPL": 50.5, "MSFT": 7.0}
    newest = [(tick.price, tick.size) for tick in kept.newest_ticks if tick.ticker == "AAPL"]
    assert newest == [(50.0, 4.0), (50.5, 4.0)]


def test_a_split_is_no_jump_that_waits_for_its_confirmation() -> None:
    for rescaled in ({}, {"AAPL": 0.05}):
        validator = Validator(LiveBounds(maximum_jump=0.5, maximum_future_seconds=60))
        validator.check(_moment(1, 100.0), 10**9)
        validator.check(_moment(2, rescaled=rescaled), 10**9)
        checked = validator.check(_moment(3, 5.0), 10**9)
        assert checked.tickers == (["AAPL", "MSFT"] if rescaled else ["MSFT"])


_SECOND = 10**9
_DAY_NS = 86_400 * _SECOND
_SESSIONS = Sessions([Session(day * _DAY_NS + 10, day * _DAY_NS + 20) for day in range(4)])


def _asked(splits: Splits, now_ns: int, *playing: str) -> Question | None:
    return splits.question(set(playing), _SESSIONS, now_ns)


def _splits() -> Splits:
    """Give one that has seen both tickers on day 0."""
    splits = Splits("1m", 7 * _DAY_NS)
    splits.note("AAPL", 15, 100.0)
    splits.note("MSFT", 15, 7.0)
    return splits


def _halved(splits: Splits, question: Question | None) -> dict[str, float]:
    assert question is not None
    half, count = np.array([50.0]), np.array([1.0])
    history = {"AAPL": BarColumns(np.array([0]), half, half, half, half, count)}
    return splits.answer(question, history, LiveFigures("fake", CollectorRegistry()))


def test_a_ticker_that_rested_over_its_split_is_asked_about_when_it_comes_back() -> None:
    splits, now_ns = _splits(), _DAY_NS + 15
    question = _asked(splits, now_ns, "MSFT")
    assert question is not None
    assert question.tickers == ["MSFT"], "of who does not play nothing is asked"
    assert _halved(splits, question) == {}
    assert _asked(splits, now_ns, "MSFT") is None
    assert _halved(splits, _asked(splits, now_ns, "AAPL", "MSFT")) == {"AAPL": 0.5}
    assert _asked(splits, now_ns, "AAPL", "MSFT") is None, "once a day is enough"
    assert _asked(splits, now_ns + _DAY_NS, "AAPL") is not None


def test_what_nobody_answered_is_asked_again_after_a_while_of_who_said_no_price_since() -> None:
    splits, now_ns = _splits(), _DAY_NS + 15
    question = _asked(splits, now_ns, "AAPL", "MSFT")
    assert question is not None
    splits.unanswered(question, now_ns)
    assert _asked(splits, now_ns + 59 * _SECOND, "AAPL", "MSFT") is None
    splits.note("MSFT", now_ns, 7.0)
    question = _asked(splits, now_ns + 60 * _SECOND, "AAPL", "MSFT")
    assert question is not None
    assert question.tickers == ["AAPL"]
    assert _halved(splits, question) == {"AAPL": 0.5}
    assert _asked(splits, now_ns + 999 * _SECOND, "AAPL", "MSFT") is None


def test_who_comes_back_is_asked_about_at_once_though_others_were_not_answered() -> None:
    splits, now_ns = _splits(), _DAY_NS + 15
    question = _asked(splits, now_ns, "MSFT")
    assert question is not None
    splits.unanswered(question, now_ns)
    assert _asked(splits, now_ns, "AAPL", "MSFT") is not None


async def test_history_that_does_not_show_splits_is_not_asked_for_them(tmp_path: Path) -> None:
    fake, yesterday_ns = FakeAlpaca(), BEGIN_NS - BEGIN_NS % MINUTE_NS - _DAY_NS
    async with fake.running():
        play = LivePlay(fake, tmp_path)
        play.provider.traits = msgspec.structs.replace(play.provider.traits, adjusted=False)
        position = (1, BEGIN_NS - MINUTE_NS)
        async with play.playing(position, [position], [Tick("AAPL", yesterday_ns + 1, 100.0, 1.0)]):
            await play.connected()
            assert not [request for request in fake.requests if "start=2026-11-24" in request]


async def test_a_split_that_history_did_not_answer_is_told_before_the_first_price_all_the_same(tmp_path: Path) -> None:
    fake, yesterday_ns = FakeAlpaca(), BEGIN_NS - BEGIN_NS % MINUTE_NS - _DAY_NS
    async with fake.running():
        play = LivePlay(fake, tmp_path)
        fake.history["AAPL"] = {yesterday_ns: PlayedBar("AAPL", 50.0, 50.0, 50.0, 50.0, 1.0)}
        fake.answers = [(500, None)] * 4
        position = (1, yesterday_ns + MINUTE_NS)
        async with play.playing(position, [position], [Tick("AAPL", yesterday_ns + 1, 100.0, 1.0)]):
            await play.connected()
            assert (fake.answers, [moment for moment in play.moments if moment.rescaled]) == ([], [])
            asked = len(fake.requests)
            await fake.send(("MSFT", play.clock(), 200.0, 1.0, 1))
            await play.heard(1)
            assert len(fake.requests) == asked, "not at every message"
            play.clock.jump(61)
            await fake.send(("AAPL", play.clock(), 50.0, 1.0, 2))
            await play.heard(2)
    assert [moment.rescaled for moment in play.moments if moment.rescaled or moment.tickers] == [{}, {"AAPL": 0.5}, {}]
