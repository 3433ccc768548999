"""A process of many lean WebSocket clients: `python -m benchmarks.gateway.socket_reader --help`.

They are as cheap as can be, so that what is measured is the gateway: bytes are cut into frames by their headers, and
one message in so many is looked at for when its prediction was made. The last line printed is JSON.
"""

import argparse
import asyncio
import json
import os
import socket
import time
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import cast

import uvloop

from schemas.times import NS_PER_SECOND, from_rfc3339

_MADE = b'"predicted_at":"'
_PREDICTION = b'{"type":"prediction"'
_LOOKED_AT = 16
_CONNECT_AT_ONCE = 100
_PING, _PONG = 0x89, 0x8A
_DEAF_BYTES = 4_096
#: For which those that were deaf read what is left for them, to the end.
_END_SECONDS = 5.0


@dataclass
class Tally:
    """What all clients got since it was begun.

    Attributes:
        predictions: Messages.
        seconds: From when a prediction was made to when it was read, of some of them.
        closed: Connections that ended.
        stalled: Those of deaf clients that the gateway has ended.
    """

    predictions: int = 0
    seconds: list[float] = field(default_factory=list)
    closed: int = 0
    stalled: int = 0


class Reader(asyncio.Protocol):
    """One client: subscribes, then reads for ever.

    A deaf one asks for all tickers and reads nothing, with little room for what comes: so it stalls within a second or
    two. Until it is asked to read it does not see that its connection has ended, either.

    Attributes:
        ended: Its connection has.
    """

    def __init__(self, tally: Tally, host: str, tickers: list[str], *, deaf: bool, path: str) -> None:
        self._tally = tally
        self.deaf = deaf
        self.ended = False
        self._tickers = ["*"] if deaf else tickers
        self._rest = b""
        self._open = False
        key = b64encode(os.urandom(16)).decode()
        self._hello = (
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        ).encode()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        self._transport.write(self._hello)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Count it."""
        self.ended = True
        self._tally.closed += 1

    def data_received(self, data: bytes) -> None:
        """Cut into frames."""
        data = self._rest + data
        if not self._open:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = head
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                raise ConnectionError(head.decode(errors="replace"))
            self._open = True
            self._subscribe()
        at = 0
        while (length := _frame_length(data, at)) is not None and at + length <= len(data):
            self._take(data, at, length)
            at += length
        self._rest = data[at:]

    def _subscribe(self) -> None:
        text = json.dumps({"action": "subscribe", "tickers": self._tickers}).encode()
        size = bytes([0x80 | len(text)]) if len(text) < 126 else bytes([0x80 | 126, *len(text).to_bytes(2)])
        self._transport.write(b"\x81" + size + b"\0\0\0\0" + text)  # masked with zeros
        if self.deaf:
            self._transport.pause_reading()

    def listen(self) -> None:
        """Read, now."""
        if not self.ended:
            self._transport.resume_reading()

    def _take(self, data: bytes, at: int, length: int) -> None:
        if not data.startswith(_PREDICTION, at + _header_length(data, at)):
            if data[at] == _PING:
                said = data[at + 2 : at + length]
                self._transport.write(bytes([_PONG, 0x80 | len(said)]) + b"\0\0\0\0" + said)
            return
        self._tally.predictions += 1
        if self._tally.predictions % _LOOKED_AT == 0:
            found = data.index(_MADE, at, at + length) + len(_MADE)
            made_ns = from_rfc3339(data[found : data.index(b'"', found)].decode())
            self._tally.seconds.append((time.time_ns() - made_ns) / NS_PER_SECOND)


def _header_length(data: bytes, at: int) -> int:
    short = data[at + 1] & 0x7F
    return 2 if short < 126 else 4 if short == 126 else 10


def _frame_length(data: bytes, at: int) -> int | None:
    """Give a frame's length with its header; None where the header is not whole."""
    if len(data) < at + 2 or len(data) < at + (header := _header_length(data, at)):
        return None
    if header == 2:
        return 2 + (data[at + 1] & 0x7F)
    return header + int.from_bytes(data[at + 2 : at + header])


async def connected(reader: Reader, address: str) -> asyncio.Transport:
    """Connect a client."""
    loop, connection = asyncio.get_running_loop(), socket.socket()
    host, port = address.split(":")
    try:
        if reader.deaf:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _DEAF_BYTES)
        connection.setblocking(False)
        await loop.sock_connect(connection, (host, int(port)))
        transport, _ = await loop.create_connection(lambda: reader, sock=connection)
    except BaseException:
        connection.close()
        raise
    return transport


async def ended(readers: Sequence[Reader]) -> int:
    """Have deaf clients read what is left for them; give how many find that the gateway has ended them."""
    for reader in readers:
        reader.listen()
    with suppress(TimeoutError):
        async with asyncio.timeout(_END_SECONDS):
            while not all(reader.ended for reader in readers):
                await asyncio.sleep(0.05)
    return sum(reader.ended for reader in readers)


async def read(options: argparse.Namespace) -> Tally:
    """Connect all, wait until they are warm, and count for so long."""
    tally, of_the_deaf = Tally(), Tally()
    deaf = [_reader(of_the_deaf, number, options, deaf=True) for number in range(options.deaf)]
    readers = [_reader(tally, number, options, deaf=False) for number in range(options.deaf, options.clients)]
    everybody = deaf + readers
    for begin in range(0, len(everybody), _CONNECT_AT_ONCE):
        some = everybody[begin : begin + _CONNECT_AT_ONCE]
        await asyncio.gather(*(connected(reader, options.address) for reader in some))
    await asyncio.sleep(options.warm_up_seconds)
    if tally.closed:
        raise ConnectionError(f"{tally.closed} of {options.clients} connections ended at once")
    tally.predictions, tally.seconds = 0, []
    await asyncio.sleep(options.seconds)
    if not tally.seconds:
        raise ConnectionError("no prediction came")
    counted = replace(tally, seconds=[*tally.seconds])  # the others go on meanwhile
    return replace(counted, stalled=await ended(deaf))


def _reader(tally: Tally, number: int, options: argparse.Namespace, *, deaf: bool) -> Reader:
    tickers = [f"T{(number * options.each + step) % options.tickers:05d}" for step in range(options.each)]
    return Reader(tally, options.address, tickers, deaf=deaf, path=options.path)


def main() -> None:
    """Read, and print what came."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway.socket_reader", description=__doc__)
    parser.add_argument("--address", required=True, help="host:port")
    parser.add_argument("--path", default="/ws/predictions")
    parser.add_argument("--clients", type=int, required=True, help="in hundreds")
    parser.add_argument("--deaf", type=int, default=0, help="of them ask for all tickers and never read")
    parser.add_argument("--each", type=int, default=10, help="tickers that a client asks for")
    parser.add_argument("--tickers", type=int, required=True, help="of the market")
    parser.add_argument("--warm-up-seconds", type=float, default=5.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        tally = runner.run(read(options))
    ordered = sorted(tally.seconds)
    quantiles = {f"p{share}_ms": 1_000 * ordered[len(ordered) * share // 100] for share in (50, 99)}
    counts = {"per_second": tally.predictions / options.seconds, "closed": tally.closed, "stalled": tally.stalled}
    print(json.dumps(counts | quantiles))


if __name__ == "__main__":
    main()
