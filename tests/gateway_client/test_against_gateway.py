"""The client and the real gateway: broken networks, moves between gateways, kills and restarts."""

import asyncio
import signal
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from msgspec.structs import replace

from gateway.client import Client, Disconnected, Event, Gap, Stream, connect
from gateway.client.events import updates_of
from gateway.parts import Parts
from schemas.sockets import BarMessage, FormingBarMessage, StreamedPrediction, Subscribed
from tests.brokers import BrokerUnderTest
from tests.gateway.proxy import Proxy, standing
from tests.gateway.samples import bar, make_parts, prediction, publish, publish_bar
from tests.gateway.web import DEADLINE_SECONDS, Running, running, until
from tests.processes import Processes, free_port

TICKERS = ["AAPL", "FB", "GOOG", "IBM", "MSFT"]


@dataclass
class Taken:
    """What a stream gave, and what it said is missing."""

    events: list[Event] = field(default_factory=list)
    seqs: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    async def until(self, stream: Stream[StreamedPrediction], ticker: str, seq: int) -> None:
        """Take events until an update has come."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            await self.follow(stream, lambda: seq in self.seqs[ticker])

    async def follow(self, stream: Stream[StreamedPrediction], enough: Callable[[], bool] = lambda: False) -> None:
        """Take events until there are enough, or the stream is closed."""
        async with aclosing(stream.events()) as events:
            async for event in events:
                self.events.append(event)
                for update in updates_of([event]):
                    assert isinstance(update, StreamedPrediction)
                    self.seqs[update.ticker].append(update.seq or 0)
                if enough():
                    return

    def gaps(self, ticker: str) -> set[tuple[int | None, int]]:
        """Give the gaps that were reported."""
        return {(e.after, e.before) for e in self.events if isinstance(e, Gap) and e.ticker == ticker}

    def last_acknowledgement(self) -> Subscribed:
        """Give the last answer to a subscription."""
        return [event for event in self.events if isinstance(event, Subscribed)][-1]


def port_of(server: Running) -> int:
    return int(server.url.rpartition(":")[2])


@asynccontextmanager
async def reaching(server: Running) -> AsyncIterator[tuple[Proxy, Client]]:
    """Give a client, and the network between."""
    async with standing(Proxy(port_of(server))) as network, connect(f"http://{network.address}") as client:
        yield network, client


def publish_each(gateways: list[Parts], *numbers: int) -> None:
    for number in numbers:
        for parts in gateways:
            publish(parts, prediction("AAPL", number))


async def test_after_a_cut_all_that_was_missed_comes() -> None:
    parts = make_parts(prediction("AAPL", 1))
    async with running(parts) as server, reaching(server) as (network, client):
        stream, taken = client.predictions(["*"]), Taken()
        await taken.until(stream, "AAPL", 1)
        network.cut()
        publish_each([parts], 4, 7, 9)
        await taken.until(stream, "AAPL", 9)
    assert any(isinstance(event, Disconnected) for event in taken.events)
    assert taken.last_acknowledgement().recovered
    assert (taken.seqs["AAPL"], taken.gaps("AAPL")) == ([1, 4, 7, 9], set())


async def test_a_client_is_moved_to_a_gateway_that_lags_behind_and_to_one_that_has_just_started() -> None:
    first, second, third = (make_parts(prediction("AAPL", 1)) for _ in range(3))
    servers = running(first), running(second), running(third)
    async with servers[0] as one, servers[1] as two, servers[2] as three, reaching(one) as (network, client):
        stream, taken = client.predictions(["AAPL"]), Taken()
        publish_each([first], 4, 7)
        await taken.until(stream, "AAPL", 7)
        network.server_port = port_of(two)
        network.cut()
        publish_each([second], 4)
        asyncio.get_running_loop().call_later(1.0, publish_each, [second], 7, 9)
        await taken.until(stream, "AAPL", 9)
        publish_each([third], 20)
        network.server_port = port_of(three)
        network.cut()
        await taken.until(stream, "AAPL", 20)
    assert taken.seqs["AAPL"] == sorted(set(taken.seqs["AAPL"]))
    assert taken.seqs["AAPL"][-3:] == [7, 9, 20]
    assert taken.last_acknowledgement().lost == ["AAPL"]
    assert taken.gaps("AAPL") == {(9, 20)}


async def test_all_options_and_both_formats_are_understood() -> None:
    parts = make_parts(prediction("AAPL", 1))
    async with running(parts) as server, connect(server.url) as client:
        rated = client.predictions(["AAPL"], max_rate=5.0, min_confidence=0.1, format="msgpack")
        finals = client.predictions(["AAPL"], final_only=True)
        for stream in (rated, finals):
            taken = Taken()
            await taken.until(stream, "AAPL", 1)
            assert not taken.last_acknowledgement().gapless
        publish(parts, prediction("AAPL", 3, provisional=True, bar_index=301))
        publish(parts, prediction("AAPL", 5, bar_index=301))
        taken = Taken()
        await taken.until(finals, "AAPL", 5)
        assert (taken.seqs["AAPL"], taken.gaps("AAPL")) == ([5], set())
        bars = client.bars(["AAPL"], format="msgpack")
        await bars.next_events()
        await bars.next_events()
        publish_bar(parts, bar("AAPL", 9))
        async for one in bars:
            assert isinstance(one, BarMessage | FormingBarMessage)
            if isinstance(one, BarMessage):
                assert one.seq == 9
                break


async def test_gateways_are_killed_and_restarted_under_load_and_no_gap_goes_unreported(
    broker: BrokerUnderTest, processes: Processes
) -> None:
    port = free_port()
    environment = broker.environment(gateway_port=port, metrics_port=port)
    going_on = asyncio.Event()
    going_on.set()

    async def load() -> None:
        number = 0
        while going_on.is_set():
            number += 1
            for ticker in TICKERS:
                one = replace(prediction(ticker, number), provisional=number % 3 > 0)
                await asyncio.to_thread(broker.produce, "predictions-latest", one, key=ticker)
            await asyncio.sleep(0.02)

    async def disturb() -> None:
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
            service = processes.start("gateway", environment=environment)
            before = len(taken.seqs["AAPL"])
            await until(lambda: len(taken.seqs["AAPL"]) > before + 20, "updates from the gateway")  # noqa: B023
            service.send(number)
            await asyncio.to_thread(service.wait)
        going_on.clear()
        processes.start("gateway", environment=environment)

    client = connect(f"http://127.0.0.1:{port}", longest_wait_seconds=0.5)
    async with client, asyncio.TaskGroup() as tasks:
        stream, taken = client.predictions(["*"]), Taken()
        loading, disturbing = tasks.create_task(load()), tasks.create_task(disturb())
        following = tasks.create_task(taken.follow(stream))  # each step of the disturbance has a deadline of its own
        await asyncio.gather(loading, disturbing)
        log: dict[str, list[int]] = defaultdict(list)
        for record in await asyncio.to_thread(broker.read, "predictions-latest"):
            log[record.event().ticker].append(record.offset)
        await until(lambda: all(taken.seqs[one][-1:] == log[one][-1:] for one in TICKERS), "the newest of all")
        await stream.close()
        await following
    assert sum(isinstance(event, Disconnected) for event in taken.events) >= 3
    for ticker in TICKERS:
        assert taken.seqs[ticker] == sorted(set(taken.seqs[ticker]))
        kept_from = log[ticker][0]  # the embedded broker forgets the oldest records, on a slow machine some of these
        seqs = [seq for seq in taken.seqs[ticker] if seq >= kept_from]
        leaps = {(a, b) for a, b in pairwise(seqs) if any(a < offset < b for offset in log[ticker])}
        assert set(seqs) <= set(log[ticker])
        assert {(a, b) for a, b in taken.gaps(ticker) if (a or 0) >= kept_from} == leaps
