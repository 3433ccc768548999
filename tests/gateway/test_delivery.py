"""Many clients are written to in one turn of the loop; who does not read at the moment gets the same, in order."""

import asyncio
import json
from collections.abc import Callable
from itertools import count

import pytest

from gateway.delivery import Delivery
from gateway.hub import Subscriber
from gateway.messages import Message
from gateway.rounds import AT_A_STRETCH, Rounds
from schemas.close_codes import CloseCode
from tests.gateway.samples import make_parts, prediction, publish
from tests.gateway.scraping import scraped
from tests.gateway.web import until


class Client(Delivery):
    """One that reads as it is told to."""

    def __init__(self) -> None:
        self.parts = make_parts()
        super().__init__(self.parts, self.parts.predictions, None)
        self.reads = asyncio.Event()
        self.got: list[Message] = []

    async def _read(self, subscriber: Subscriber) -> None:
        self.parts.predictions.audience.subscribe(subscriber, ["*"])
        await asyncio.Event().wait()

    def _writes_now(self) -> Callable[[list[Message]], None] | None:
        return self.got.extend if self.reads.is_set() else None

    async def _write(self, messages: list[Message], *, in_order: bool) -> None:
        assert in_order
        await self.reads.wait()
        await asyncio.sleep(0)  # something else has a turn before these are out
        self.got += messages

    async def _say_goodbye(self, code: CloseCode) -> None:
        self.got.append(Message("goodbye", str(int(code)).encode()))

    def seqs(self) -> list[int]:
        return [json.loads(message.payload)["seq"] for message in self.got]


async def test_what_comes_while_a_client_does_not_read_is_not_overtaken() -> None:
    client = Client()
    running = asyncio.create_task(client.run())
    await until(lambda: client.parts.predictions.audience.wanted("AAPL"), "the subscription")
    seq = 0
    for reads in (True, False, True, False, False, True):
        client.reads.set() if reads else client.reads.clear()
        for _ in range(3):
            seq += 1
            publish(client.parts, prediction(offset=seq), seq)
            await asyncio.sleep(0)
    await until(lambda: len(client.got) == seq, "all updates")
    assert client.seqs() == list(range(1, seq + 1))
    client.parts.hub.close()
    await running
    assert client.got[-1].kind == "goodbye"


async def test_nothing_is_written_after_the_end() -> None:
    client = Client()
    running = asyncio.create_task(client.run())
    await until(lambda: client.parts.predictions.audience.wanted("AAPL"), "the subscription")
    client.reads.set()
    publish(client.parts, prediction(offset=1), 1)
    client.parts.hub.close()
    publish(client.parts, prediction(offset=2), 2)
    await running
    await asyncio.sleep(0)
    assert [message.kind for message in client.got] == ["goodbye"]


async def test_a_connections_end_is_counted_by_who_ended_it() -> None:
    one, other = Client(), Client()
    assert ended(one) == {}
    running = asyncio.create_task(one.run())
    await until(lambda: one.parts.predictions.audience.wanted("AAPL"), "the subscription")
    one.parts.hub.close(CloseCode.TOO_SLOW)
    await running
    assert ended(one) == {"4000": 1.0}
    leaving = asyncio.create_task(other.run())
    await until(lambda: other.parts.predictions.audience.wanted("AAPL"), "the subscription")
    leaving.cancel()
    await asyncio.wait({leaving})
    assert ended(other) == {"client": 1.0}


def ended(client: Client) -> dict[str, float]:
    counts = scraped(client.parts)["tickcast_websocket_closed_total"]
    assert {code for (code,) in counts} == {*map(str, map(int, CloseCode)), "client"}
    return {code: count for (code,), count in counts.items() if count}


async def test_a_round_takes_all_and_leaves_others_their_turn() -> None:
    rounds, written, turns = Rounds(), list[int](), list[int]()
    for number in range(2 * AT_A_STRETCH + 1):
        rounds.add(lambda number=number: written.append(number))  # type: ignore[misc]
    while len(written) < 2 * AT_A_STRETCH + 1:
        turns.append(len(written))
        await asyncio.sleep(0)
    assert written == list(range(2 * AT_A_STRETCH + 1))
    assert turns == [0, AT_A_STRETCH, 2 * AT_A_STRETCH]


async def test_a_round_is_over_when_nobody_waits_any_more() -> None:
    now_ns, took_seconds = count(100, 50), list[float]()
    rounds = Rounds(took_seconds.append, lambda: next(now_ns))
    for number in range(AT_A_STRETCH + 1):
        rounds.add(lambda number=number: None if number else rounds.add(lambda: None))  # type: ignore[misc]
    assert not rounds.took_ns
    for _ in range(3):
        await asyncio.sleep(0)
    assert list(rounds.took_ns) == [50]
    rounds.add(lambda: None)
    await asyncio.sleep(0)
    assert list(rounds.took_ns) == [50, 50]
    assert took_seconds == [50e-9, 50e-9]


async def test_one_clients_fault_is_not_the_others_loss(caplog: pytest.LogCaptureFixture) -> None:
    rounds, written = Rounds(), list[str]()
    rounds.add(lambda: written.append("first"))
    rounds.add(lambda: written.remove("nothing"))
    rounds.add(lambda: written.append("last"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert written == ["first", "last"]
    assert "ValueError" in caplog.text
