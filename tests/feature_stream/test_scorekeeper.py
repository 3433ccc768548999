"""The scorekeeper on real brokers: what stands on `scores` is what follows from `outcomes`."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass

import pytest
from msgspec import structs

from feature_stream.scorekeeper import Scorekeeper
from feature_stream.scores.board import ALL
from feature_stream.scores.settings import ScoreSettings
from feature_stream.scores.state import ScoreKeeper
from schemas.codec import traceparent_of
from schemas.events import Outcome, Scoreboard
from schemas.partitioning import partition_of
from tests.brokers import BrokerUnderTest
from tests.feature_stream.outcome_logs import Market, outcome, outcomes_of
from tests.gateway.proxy import proxy_to
from tests.records import Record

DEADLINE_SECONDS = 60.0
TICKERS = tuple(f"T{number}" for number in range(9))
MARKET = Market(tickers=TICKERS, bars=12, horizons=(1, 3), seed=4)


@dataclass
class Clock:
    now_ns: int = 5

    def __call__(self) -> int:
        return self.now_ns


@contextlib.asynccontextmanager
async def keeping(broker: BrokerUnderTest, **overrides: object) -> AsyncIterator[Scorekeeper]:
    keeper = Scorekeeper(broker.settings(ScoreSettings, **overrides), Clock())
    await keeper.start()
    try:
        yield keeper
    finally:
        await keeper.stop()


async def caught_up(kept: Scorekeeper) -> None:
    await asyncio.wait_for(kept.caught_up.wait(), DEADLINE_SECONDS)


async def write(broker: BrokerUnderTest, outcomes: Iterable[Outcome]) -> None:
    for one in outcomes:
        await asyncio.to_thread(broker.produce, "outcomes", one, key=one.ticker)


async def boards(broker: BrokerUnderTest, enough: Callable[[list[Record]], bool]) -> list[Record]:
    return await asyncio.to_thread(broker.read, "scores", enough, DEADLINE_SECONDS)


def newest(records: list[Record]) -> dict[str, Scoreboard]:
    return {record.event().ticker: record.event() for record in records}


def expected(outcomes: Iterable[Outcome]) -> dict[str, Scoreboard]:
    keeper = ScoreKeeper("1d")
    keeper.add(outcomes)
    return {ticker: keeper.board(ticker, 5) for ticker in keeper.tickers} | {ALL: keeper.pooled_board(5)}


def says(outcomes: list[Outcome]) -> Callable[[list[Record]], bool]:
    wanted = expected(outcomes)
    return lambda records: newest(records) == wanted


async def test_every_ticker_and_all_have_the_board_of_their_outcomes_and_it_follows(broker: BrokerUnderTest) -> None:
    outcomes = sorted(outcomes_of(MARKET), key=lambda one: (one.matured_ns, one.ticker, one.horizon))
    early, late = outcomes[:-30], outcomes[-30:]
    await write(broker, early)
    async with keeping(broker):
        first = await boards(broker, says(early))
        assert len(first) == len(TICKERS) + 1, "before all is read nothing is said, and then each board once"
        await write(broker, late)
        records = await boards(broker, says(outcomes))
    for record in records:
        board = record.event()
        assert record.key == board.ticker.encode()
        assert record.headers["ce_id"] == board.id.encode()
        assert record.headers["ce_type"] == b"tickcast.Scoreboard"
        assert record.headers["content-type"] == b"application/json"
        assert traceparent_of(record.headers) is not None


async def test_the_boards_lie_where_the_tickers_do(kafka: BrokerUnderTest) -> None:
    await write(kafka, outcomes_of(MARKET))
    async with keeping(kafka):
        records = await boards(kafka, lambda found: len(found) > len(TICKERS))
    assert all(record.partition == partition_of(record.event().ticker, 4) for record in records)


async def test_a_restart_says_nothing_that_was_said_last_and_what_is_new(broker: BrokerUnderTest) -> None:
    outcomes = list(outcomes_of(MARKET))
    await write(broker, outcomes)
    async with keeping(broker):
        said = len(await boards(broker, says(outcomes)))
    async with keeping(broker) as second:
        await caught_up(second)
        later = outcome(TICKERS[0], 40)
        await write(broker, [later])
        records = await boards(broker, says([*outcomes, later]))
    assert len(records) == said + 2, "the ticker's board and that of all"


async def test_it_can_be_stopped_and_started_again(broker: BrokerUnderTest) -> None:
    async with keeping(broker) as kept:
        await kept.start()
        await caught_up(kept)
        await kept.stop()
        await kept.stop()
        await write(broker, [outcome("T0", 0)])
        await kept.start()
        await boards(broker, says([outcome("T0", 0)]))


async def test_a_start_reads_only_so_many_records_again(kafka: BrokerUnderTest) -> None:
    outcomes = [outcome("T0", bar) for bar in range(30)]
    await write(kafka, outcomes)
    async with keeping(kafka, score_replay_records=10):
        await boards(kafka, says(outcomes[-10:]))


async def test_garbage_is_passed_over(broker: BrokerUnderTest, caplog: pytest.LogCaptureFixture) -> None:
    await asyncio.to_thread(broker.produce, "outcomes", b"\xff", b'{"id": 1}', None, key="T0")
    impossible = [structs.replace(outcome("T0", 3), **change) for change in ({"horizon": -1}, {"matured_ns": 2**63})]
    await write(
        broker, [*impossible, outcome("T0", 0), outcome("T0", 1, scored=False), outcome("T0", 2, interval="1h")]
    )
    async with keeping(broker) as kept:
        await boards(broker, says([outcome("T0", 0)]))
        await caught_up(kept)
    assert caplog.text.count("passed over") == 5


async def test_empty_topics_are_caught_up_at_once_and_nothing_is_said(broker: BrokerUnderTest) -> None:
    async with keeping(broker) as kept:
        await caught_up(kept)
        assert await asyncio.to_thread(broker.read, "scores", None) == []


async def test_an_outage_loses_nothing(embedded: BrokerUnderTest) -> None:
    before, after = [outcome("T0", 0)], [outcome("T0", 1), outcome("T1", 1)]
    async with proxy_to(embedded.bootstrap_servers) as proxy, keeping(embedded, kafka_bootstrap_servers=proxy.address):
        await write(embedded, before)
        await boards(embedded, says(before))
        await proxy.go()
        await write(embedded, after)
        await proxy.come()
        await boards(embedded, says(before + after))


async def test_an_error_that_is_not_the_brokers_ends_it(
    embedded: BrokerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> set[str]:
        raise ZeroDivisionError

    monkeypatch.setattr(ScoreKeeper, "add", broken)
    await write(embedded, [outcome("T0", 0)])
    keeper = Scorekeeper(embedded.settings(ScoreSettings))
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(keeper.run(), DEADLINE_SECONDS)
    told: asyncio.Queue[BaseException] = asyncio.Queue()
    keeper = Scorekeeper(embedded.settings(ScoreSettings), on_failure=told.put_nowait)
    await keeper.start()
    assert isinstance(await asyncio.wait_for(told.get(), DEADLINE_SECONDS), ZeroDivisionError)
    await keeper.stop()  # who is told need not be told again
