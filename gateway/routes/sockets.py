"""`WS /ws/predictions`: one reader and one writer a client, so that nobody waits for anybody."""

import asyncio

from fastapi import APIRouter
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.conversation import Conversation
from gateway.mailbox import Mailbox
from gateway.parts import Parts
from gateway.presentation import time_text
from gateway.problems import ProblemError, not_caught_up, stopping, too_many_clients, upgrade_required
from schemas.sockets import SOCKET_PATH

GOING_AWAY = 1001
#: Messages sent at a stretch; between two stretches the other clients have their turn.
STRETCH = 64


def no_socket_router() -> APIRouter:
    """Answer plain HTTP at the socket's address."""
    router = APIRouter(include_in_schema=False)

    @router.get(SOCKET_PATH)
    async def not_a_socket() -> Response:
        raise upgrade_required()

    return router


class PredictionSocket:
    """The ASGI application behind the route."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse at the handshake, or talk until the client or the gateway goes away."""
        await receive()  # websocket.connect
        refusal = self._refusal()
        if refusal is not None:
            await refusal.response()(scope, receive, send)
            return
        await send({"type": "websocket.accept"})
        await Connection(self._parts, receive, send).run()

    def _refusal(self) -> ProblemError | None:
        if self._parts.hub.closing:
            return stopping()
        if not self._parts.latest.caught_up:
            return not_caught_up()
        if len(self._parts.hub) >= self._parts.settings.maximum_clients:
            return too_many_clients(self._parts.settings.maximum_clients)
        return None


class Connection:
    """One client's: what it says is answered before its next message is read."""

    def __init__(self, parts: Parts, receive: Receive, send: Send) -> None:
        self._parts = parts
        self._receive = receive
        self._send = send
        self._something = asyncio.Event()
        self._answered = asyncio.Event()
        self._mailbox = Mailbox(parts.settings.client_queue, self._something.set)
        self._skipped_counted = 0

    async def run(self) -> None:
        """Talk until one of the two goes away."""
        parts = self._parts
        subscriber = parts.hub.join(self._mailbox)
        conversation = Conversation(parts.hub, parts.latest, parts.settings, subscriber)
        self._mailbox.reply(conversation.welcome(self._now()))
        tasks = [asyncio.create_task(work) for work in (self._read(conversation), self._write(), self._beat_for_ever())]
        parts.instruments.clients.inc()
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            parts.hub.leave(subscriber)
            parts.instruments.clients.dec()
            self._count_skipped()

    def _now(self) -> str:
        return time_text(self._parts.clock_ns())

    async def _read(self, conversation: Conversation) -> None:
        while (message := await self._receive())["type"] == "websocket.receive":
            text = message.get("text")
            self._answered.clear()
            self._mailbox.reply(conversation.answer(message.get("bytes") or b"" if text is None else text))
            await self._answered.wait()

    async def _write(self) -> None:
        try:
            while not self._mailbox.closed:
                await self._something.wait()
                self._something.clear()
                await self._send_all()
            await self._send({"type": "websocket.close", "code": GOING_AWAY, "reason": "the gateway is shutting down"})
        except OSError:  # the client is gone: stop
            return

    async def _send_all(self) -> None:
        while messages := self._mailbox.take(STRETCH, self._now):
            for _, text in messages:
                await self._send({"type": "websocket.send", "text": text})
            self._parts.instruments.count_sent(kind for kind, _ in messages)
            self._count_skipped()
            if not self._mailbox.has_replies:
                self._answered.set()
            if len(messages) == STRETCH:
                await asyncio.sleep(0)

    def _count_skipped(self) -> None:
        self._parts.instruments.conflated.inc(self._mailbox.skipped - self._skipped_counted)
        self._skipped_counted = self._mailbox.skipped

    async def _beat_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._parts.settings.heartbeat_seconds)
            self._mailbox.beat()
