"""`WS /ws/predictions` and `WS /ws/bars`."""

import logging
import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.access.gate import STAY
from gateway.access.stay import Stay
from gateway.conversation import Conversation
from gateway.delivery import Delivery, refusal, shutdown_message
from gateway.hub import Subscriber
from gateway.messages import Message, message_of
from gateway.parts import Parts
from gateway.problems import upgrade_required
from gateway.protocols import FRAMES_EXTENSION, SocketProtocol
from gateway.streams import Stream
from schemas.close_codes import CLOSE_REASONS, CloseCode
from schemas.sockets import BARS_SOCKET_PATH, SOCKET_PATH

_log = logging.getLogger(__name__)


def no_socket_router() -> APIRouter:
    """Answer plain HTTP at the sockets' addresses."""
    router = APIRouter(include_in_schema=False)

    @router.get(SOCKET_PATH)
    @router.get(BARS_SOCKET_PATH)
    async def not_a_socket() -> Response:
        raise upgrade_required()

    return router


class StreamSocket:
    """The ASGI application behind the route of a stream."""

    def __init__(self, parts: Parts, stream: Stream[Any]) -> None:
        self._parts = parts
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse at the handshake, or talk until the client or the gateway goes away."""
        await receive()  # websocket.connect
        refused = refusal(self._parts)
        if refused is not None:
            await refused.response()(scope, receive, send)
            return
        await send({"type": "websocket.accept"})
        connection = Connection(
            self._parts, self._stream, receive, send, **scope["extensions"][FRAMES_EXTENSION], stay=scope.get(STAY)
        )
        await connection.run()


class Connection(Delivery):
    """One client's: what it says is answered before its next message is read."""

    def __init__(
        self,
        parts: Parts,
        stream: Stream[Any],
        receive: Receive,
        send: Send,
        *,
        compressed: bool,
        protocol: SocketProtocol,
        stay: Stay | None,
    ) -> None:
        super().__init__(parts, stream, stay)
        self._receive = receive
        self._send = send
        self._compressed = compressed
        self._protocol = protocol

    async def _read(self, subscriber: Subscriber) -> None:
        parts = self._parts
        conversation = Conversation(self._stream, parts.settings, subscriber, parts.clock_ns, self._stay)
        session = secrets.token_hex(8)
        talk = parts.limits.talk(session) if parts.settings.limits_requests else None
        _log.debug("session %s begins", session)
        self._mailbox.reply(conversation.welcome(session, self._now()))
        if self._stay is not None:
            self._stay.when_opened(lambda caller: parts.usage.note_socket(caller.id))
            self._stay.when_expiring(lambda expires_ns: self._mailbox.reply(conversation.expiring(expires_ns)))
        while (message := await self._receive())["type"] == "websocket.receive":
            text = message.get("text")
            self._answered.clear()
            refused = None if talk is None else talk.refusal()
            if refused is None:
                self._mailbox.reply(conversation.answer(message.get("bytes") or b"" if text is None else text))
            elif talk is not None and talk.is_too_much:
                self._mailbox.close(CloseCode.TOO_MANY_MESSAGES)
            else:
                self._mailbox.reply([partial(message_of, refused)])
            await self._answered.wait()

    async def _write(self, messages: list[Message], *, in_order: bool) -> None:  # noqa: ARG002 - `prev` tells
        if not self._compressed:
            await self._send({"type": "websocket.send", "frames": [message.frame for message in messages]})
            return
        for message in messages:
            content = {"bytes": message.payload} if message.packed else {"text": message.payload.decode()}
            await self._send({"type": "websocket.send", **content})

    def _writes_now(self) -> Callable[[list[Message]], None] | None:
        return None if self._compressed or not self._protocol.takes_frames else self._write_frames

    def _write_frames(self, messages: list[Message]) -> None:
        self._protocol.write_frames([message.frame for message in messages])

    async def _say_goodbye(self, code: CloseCode) -> None:
        last = [shutdown_message().frame] if code is CloseCode.GOING_AWAY else []
        await self._send({"type": "websocket.close", "code": int(code), "reason": CLOSE_REASONS[code], "frames": last})
