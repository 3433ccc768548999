"""Whatever clients say: every answer is one of the protocol, none is missing, and nothing of it stays.

`make fuzz` makes it long.
"""

import asyncio
import os
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from gateway.client.wire import reader
from schemas.close_codes import CLOSE_REASONS, CloseCode
from schemas.public import LARGEST_INTEGER
from schemas.sockets import (
    BARS_SOCKET_PATH,
    SOCKET_PATH,
    Authenticated,
    ErrorCode,
    ErrorMessage,
    ServerMessage,
    Subscribed,
    Welcome,
)
from tests.brokers import BrokerUnderTest
from tests.gateway.contract import read_message
from tests.gateway.samples import bar, prediction
from tests.gateway.web import DEADLINE_SECONDS
from tests.processes import Processes, ServiceProcess, free_port

CASES = int(os.environ.get("FUZZ_CASES", "300"))
#: Memory that a gateway may take on over all cases: what it keeps per case would be far more.
GROWTH_BYTES = 16 * 1024 * 1024
#: What ends a connection without any fault of the gateway: a frame that is too large, or text that is none.
_CLIENTS_FAULTS = {1007, 1009}

anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)
tickers = st.sampled_from(["AAPL", "MSFT", "aapl", "NEW"])
wanted = st.lists(tickers, max_size=5) | st.just(["*"])
since = st.fixed_dictionaries(
    {"epoch": st.sampled_from(["EPOCH", "another"]), "seq": st.dictionaries(tickers, st.integers(0, 6), max_size=3)}
)
ids = st.text(max_size=64)
options = {
    "id": ids,
    "since": since,
    "max_rate": st.floats(0.001, 1_000),
    "min_confidence": st.floats(0, 1),
    "final_only": st.booleans(),
    "format": st.sampled_from(["json", "msgpack"]),
}
subscribe = st.fixed_dictionaries({"action": st.just("subscribe"), "tickers": wanted}, optional=options)
unsubscribe = st.fixed_dictionaries({"action": st.just("unsubscribe"), "tickers": wanted}, optional={"id": ids})
auth = st.fixed_dictionaries({"action": st.just("auth")}, optional={"key": ids, "token": ids, "id": ids})
resume = st.fixed_dictionaries(
    {
        "action": st.just("subscribe"),
        "tickers": st.sampled_from([["*"], ["AAPL", "MSFT"]]),
        "since": st.fixed_dictionaries(
            {"epoch": st.just("EPOCH"), "seq": st.dictionaries(tickers, st.integers(0, 9), min_size=1)}
        ),
    },
    optional={"format": options["format"], "final_only": options["final_only"]},
)
right = resume | subscribe | subscribe | unsubscribe | auth
names = st.sampled_from(["action", "tickers", "key", "token", *options]) | st.text(max_size=8)
symbols = st.lists(st.text(max_size=12) | st.sampled_from(["", "ß", "A" * 11, "*"]), max_size=3)
numbers = st.integers(-2, LARGEST_INTEGER + 2)
places = st.fixed_dictionaries({"epoch": st.just("EPOCH"), "seq": st.dictionaries(st.text(max_size=12), numbers)})
nearly_right = (
    st.builds(lambda message, name, value: message | {name: value}, right, names, anything | numbers)
    | st.builds(lambda message, name, value: message | {name: value}, subscribe, st.sampled_from([*options]), anything)
    | st.builds(lambda message, value: message | {"tickers": value}, right, symbols)
    | st.builds(lambda message, value: message | {"since": value}, subscribe, places)
)
whole = (right | right | nearly_right | nearly_right | anything).map(msgspec.json.encode)
damaged = st.builds(
    lambda message, place, noise, cut: message[:place] + noise + message[place + cut :],
    whole,
    st.integers(0, 200),
    st.binary(max_size=3),
    st.integers(0, 9),
)
deep = st.builds(bytes.__mul__, st.sampled_from([b"[", b'{"a":', b'{"tickers":[']), st.integers(1, 5_000))
large = st.integers(60_000, 70_000).map(lambda size: msgspec.json.encode({"action": "subscribe", "id": "x" * size}))
messages = whole | whole | whole | damaged | deep | large | st.binary(max_size=100)
conversations = st.lists(st.tuples(messages, st.booleans()), min_size=1, max_size=8)


class Talker:
    """Talks to one socket, connects again when it was closed, and hears every answer."""

    def __init__(self, port: int, path: str) -> None:
        self._url = f"ws://127.0.0.1:{port}{path}"
        self._read = reader(path)
        self._connection: ClientConnection | None = None
        self._probes = map("probe {}".format, count())
        self.said = 0
        self.heard: Counter[str] = Counter()
        self._epoch = b""

    async def converse(self, conversation: list[tuple[bytes, bool]]) -> None:
        """Say all of it; after each message a question whose answer is known, so that nothing is left unanswered."""
        conversation = [*conversation, (b'{"action": "unsubscribe", "tickers": ["*"]}', True)]
        for message, as_text in conversation:
            connection = self._connection or await self._connect()
            try:
                await connection.send(message.replace(b"EPOCH", self._epoch), text=as_text)
                self.said += 1
                await self._hear_the_answer(connection)
            except ConnectionClosed as closed:
                self._connection = None
                self._check(closed)

    def _check(self, closed: ConnectionClosed) -> None:
        assert closed.rcvd is not None, "the gateway says why"
        assert closed.rcvd.code in CLOSE_REASONS.keys() - {CloseCode.INTERNAL_ERROR} | _CLIENTS_FAULTS, closed.rcvd

    async def _connect(self) -> ClientConnection:
        self._connection = await connect(self._url, compression=None, max_size=None)
        welcome = await self._hear(self._connection)
        assert isinstance(welcome, Welcome)
        self._epoch = welcome.epoch.encode()
        return self._connection

    async def _hear_the_answer(self, connection: ClientConnection) -> None:
        probe = next(self._probes)
        await connection.send(f'{{"action": "unsubscribe", "tickers": ["PROBE"], "id": "{probe}"}}')
        answers = 0
        while getattr(heard := await self._hear(connection), "id", None) != probe:
            answers += isinstance(heard, Subscribed | Authenticated | ErrorMessage)
            self.heard[heard.code if isinstance(heard, ErrorMessage) else type(heard).__name__] += 1
        assert answers == 1, "each message has one answer"

    async def _hear(self, connection: ClientConnection) -> ServerMessage:
        data = await asyncio.wait_for(connection.recv(), DEADLINE_SECONDS)
        read_message(data)
        message = self._read(data)
        assert message is not None
        return message

    async def close(self) -> None:
        """Go."""
        if self._connection is not None:
            await self._connection.close()


def publish(broker: BrokerUnderTest, number: int) -> None:
    """Let the gateway have something new to say."""
    for ticker in ("AAPL", "MSFT"):
        broker.produce("predictions-latest", prediction(ticker, number), key=ticker)
        broker.produce("bars", bar(ticker, number), key=ticker)


@pytest.fixture
def gateway(embedded: BrokerUnderTest, processes: Processes) -> ServiceProcess:
    for number in range(1, 7):
        publish(embedded, number)
    port = free_port()
    service = processes.start("gateway", environment=embedded.environment(gateway_port=port, metrics_port=port))
    service.wait_until_healthy()
    return service


def _resident_bytes(service: ServiceProcess) -> int:
    pages = int(Path(f"/proc/{service.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _series(service: ServiceProcess) -> int:
    return len(service.get("/metrics")[1].splitlines())


@pytest.mark.parametrize("path", [SOCKET_PATH, BARS_SOCKET_PATH])
def test_whatever_clients_say_is_answered_by_the_protocol_and_leaves_nothing_behind(
    path: str, gateway: ServiceProcess, embedded: BrokerUnderTest
) -> None:
    numbers = count(7)
    with asyncio.Runner() as runner:
        talker = Talker(gateway.health_port, path)

        def fuzz(cases: int) -> None:
            # No shrinking: after an answer that did not come, each attempt would wait for it.
            @settings(max_examples=max(1, cases // 3), database=None, phases=[Phase.generate])
            @given(conversations)
            def converse(conversation: list[tuple[bytes, bool]]) -> None:
                if talker.said % 50 == 0:
                    publish(embedded, next(numbers))
                runner.run(talker.converse(conversation))

            converse()

        fuzz(CASES // 4)  # what a process takes on once, it has then
        before: Any = _resident_bytes(gateway), _series(gateway)
        fuzz(CASES)
        runner.run(talker.close())
        after: Any = _resident_bytes(gateway), _series(gateway)
    assert talker.said >= CASES
    errors = sum(talker.heard[code] for code in get_args(ErrorCode))
    assert min(talker.heard["Subscribed"], errors) > CASES // 10, "both sides of the protocol are reached"
    gateway.wait_for(lambda: gateway.metric("tickcast_websocket_clients") == 0, what="all clients being gone")
    assert after[0] - before[0] < GROWTH_BYTES
    assert after[1] - before[1] < 50, "what clients say makes no series of metrics"
    assert "Traceback" not in gateway.output()
    assert gateway.get("/health")[0] == 200
