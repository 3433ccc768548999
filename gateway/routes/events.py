"""`GET /events/predictions`: the messages of the WebSocket as server-sent events."""

import math
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.access.gate import STAY
from gateway.access.stay import Stay
from gateway.commands import RefusedError, check_count, read_command
from gateway.conversation import Conversation
from gateway.delivery import Delivery, refusal, shutdown_message
from gateway.hub import EVERYTHING, Subscriber
from gateway.messages import Message
from gateway.openapi import problems
from gateway.parts import Parts
from gateway.problems import ProblemError
from gateway.protocols import CONNECTION, HttpProtocol
from gateway.settings import GatewaySettings
from gateway.wishes import options_of
from schemas.close_codes import CloseCode
from schemas.sockets import EVENTS_PATH, Heartbeat, Subscribe

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
_NUMBERS = ("max_rate", "min_confidence")
_HEARTBEAT = Heartbeat(3, 0, "2026-11-28T15:00:00Z", 0.4)
_EXAMPLE = f"event: heartbeat\ndata: {msgspec.json.encode(_HEARTBEAT).decode()}\n\n"


def _parameter(name: str, description: str, schema: dict[str, Any], *, place: str = "query") -> dict[str, Any]:
    return {"name": name, "in": place, "required": False, "description": description, "schema": schema}


#: The query is read as a message of the WebSocket is, and so are its errors.
_PARAMETERS = [
    _parameter("tickers", "Separated by commas; without: all", {"type": "string", "examples": ["AAPL,MSFT"]}),
    _parameter(
        "max_rate", "Updates a second and ticker, at most", {"type": "number", "minimum": 0.001, "maximum": 1_000}
    ),
    _parameter("min_confidence", "Of the shortest horizon", {"type": "number", "minimum": 0, "maximum": 1}),
    _parameter("final_only", "Those of closed bars alone", {"type": "boolean"}),
    _parameter("ticket", "Of `POST /events/ticket`, where no header can be sent", {"type": "string"}),
    _parameter("last_event_id", "Go on after this; the header counts before it", {"type": "string"}),
    _parameter("Last-Event-ID", "The same, as browsers send it", {"type": "string"}, place="header"),
]


def events_router(parts: Parts) -> APIRouter:
    """Give `/events/predictions`."""
    router = APIRouter(tags=["predictions"])

    @router.get(
        EVENTS_PATH,
        summary="Predictions as they come, as server-sent events; the answer does not end",
        description="The messages of the WebSocket (`asyncapi.yaml`): `event` is the type, `data` the JSON.",
        responses={
            200: {
                "description": "Events, until one of the two goes away",
                "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}},
            },
            **problems(400, 401, 403, 503),
        },
        response_class=Response,
        openapi_extra={"parameters": _PARAMETERS},
    )
    async def events(request: Request) -> Response:
        refused = refusal(parts)
        if refused is not None:
            raise refused
        command = _command(dict(request.query_params), parts.settings)
        last_event_id = request.headers.get("last-event-id", request.query_params.get("last_event_id"))
        return EventResponse(parts, command, last_event_id)

    return router


def _command(query: dict[str, str], settings: GatewaySettings) -> Subscribe:
    """Read the query as the message that it would be on the WebSocket.

    Raises:
        ProblemError: It is not a valid one.
    """
    fields: dict[str, Any] = {"action": "subscribe", "tickers": query.get("tickers", "*").split(",")}
    fields |= {name: _number(query[name]) for name in _NUMBERS if name in query}
    if "final_only" in query:
        fields["final_only"] = {"true": True, "false": False}.get(query["final_only"], query["final_only"])
    try:
        command = read_command(msgspec.json.encode(fields), maximum_bytes=settings.maximum_message_bytes)
        assert isinstance(command, Subscribe)  # noqa: S101 - it says so above
        if EVERYTHING not in command.tickers:
            check_count(len(command.tickers), settings.maximum_tickers)
    except RefusedError as error:
        raise _bad(error) from error
    return command


def _number(text: str) -> float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


def _bad(error: RefusedError) -> ProblemError:
    return ProblemError(HTTPStatus.BAD_REQUEST, error.code.replace("_", "-"), str(error), field=error.field)


class EventResponse(Response):
    """An answer that goes on until one of the two goes away."""

    def __init__(self, parts: Parts, command: Subscribe, last_event_id: str | None) -> None:
        super().__init__()
        self._parts = parts
        self._command = command
        self._last_event_id = last_event_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events."""
        await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": list(_HEADERS)})
        await EventDelivery(self._parts, self._command, self._last_event_id, receive, send, stay=scope.get(STAY)).run()
        connection: HttpProtocol | None = scope["state"][CONNECTION]()
        if connection is not None:
            connection.cut_off_if_stalled()
        await send({"type": "http.response.body", "body": b""})


class EventDelivery(Delivery):
    """One client's events. Its last event id is a mark of the stream, where nothing before was left out."""

    def __init__(
        self,
        parts: Parts,
        command: Subscribe,
        last_event_id: str | None,
        receive: Receive,
        send: Send,
        *,
        stay: Stay | None,
    ) -> None:
        super().__init__(parts, parts.predictions, stay)
        self._command = command
        self._last_event_id = last_event_id
        self._receive = receive
        self._send = send
        self._gapless = options_of(command).gapless

    async def _read(self, subscriber: Subscriber) -> None:
        conversation = Conversation(self._stream, self._parts.settings, subscriber, self._parts.clock_ns)
        self._mailbox.reply(conversation.follow(self._command, self._last_event_id))
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _write(self, messages: list[Message], *, in_order: bool) -> None:
        marked = in_order and self._gapless
        body = b"".join(_event(message, marked=marked) for message in messages)
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def _say_goodbye(self, code: CloseCode) -> None:
        if code is CloseCode.GOING_AWAY:
            await self._write([shutdown_message()], in_order=True)


def _event(message: Message, *, marked: bool) -> bytes:
    mark = b"id: %b\n" % message.mark.encode() if marked and message.mark else b""
    return b"event: %b\n%bdata: %b\n\n" % (message.kind.encode(), mark, message.payload)
