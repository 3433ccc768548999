"""A WebSocket client that subscribes to everything and then reads nothing, until it is asked to."""

import asyncio
import base64
import contextlib
import json
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from urllib.parse import urlsplit

from gateway.mailbox import Mailbox
from gateway.parts import Parts
from tests.gateway.web import DEADLINE_SECONDS, Running, until

_SUBSCRIBE = b'{"action": "subscribe", "tickers": ["*"]}'
_UNSUBSCRIBE = b'{"action": "unsubscribe", "tickers": ["*"]}'

_PING = 0x89


class Deaf:
    """Its socket, and the mailbox that the gateway keeps for it."""

    def __init__(self, connection: socket.socket, mailbox: Mailbox) -> None:
        self._connection = connection
        self.mailbox = mailbox
        self.bytes_read = 0

    def say(self, frames: bytes) -> None:
        """Send frames."""
        self._connection.sendall(frames)

    def unsubscribe(self) -> None:
        """Ask for nothing more."""
        self.say(_text_frame(_UNSUBSCRIBE))

    def read_until(self, latest: Mapping[str, int]) -> int:
        """Read until the last update of every ticker has come; give the number of updates."""
        reader = self._connection.makefile("rb")
        newest: dict[str, int] = {}
        count = 0
        while newest != latest:
            message = json.loads(self._frame(reader.read))
            if message["type"] == "prediction":
                assert newest.get(message["ticker"], -1) < message["source_offset"]
                newest[message["ticker"]] = message["source_offset"]
                count += 1
        return count

    def _frame(self, read: Callable[[int], bytes]) -> bytes:
        first, second = read(2)
        while first == _PING:
            read(second)
            first, second = read(2)
        length = second & 0x7F
        if length == 126:
            length = int.from_bytes(read(2), "big")
        elif length == 127:
            length = int.from_bytes(read(8), "big")
        self.bytes_read += length
        return read(length)


def _text_frame(text: bytes) -> bytes:
    return bytes([0x81, 0x80 | len(text)]) + bytes(4) + text


def deaf_socket(url: str) -> socket.socket:
    """Connect with little room for what is not read."""
    parts = urlsplit(url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    connection.settimeout(DEADLINE_SECONDS)
    connection.connect((parts.hostname, parts.port))
    return connection


def _handshake(url: str, key: str) -> socket.socket:
    connection = deaf_socket(url)
    nonce = base64.b64encode(os.urandom(16)).decode()
    connection.sendall(
        f"GET /ws/predictions HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {nonce}\r\nSec-WebSocket-Version: 13\r\nX-API-Key: {key}\r\n\r\n".encode()
    )
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += connection.recv(1)
    assert b" 101 " in answer
    connection.sendall(_text_frame(_SUBSCRIBE))
    return connection


@contextlib.asynccontextmanager
async def deaf_client(server: Running, parts: Parts, key: str = "") -> AsyncIterator[Deaf]:
    """Connect, subscribe to everything, and read nothing more."""
    before = set(parts.hub)
    connection = await asyncio.to_thread(_handshake, server.url, key)
    try:
        await until(
            lambda: any(one.everything is not None for one in set(parts.hub) - before), "the deaf client's subscription"
        )
        (subscriber,) = set(parts.hub) - before
        yield Deaf(connection, subscriber.mailbox)
    finally:
        connection.close()
