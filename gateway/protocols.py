"""What uvicorn answers before the application is asked, made to look like every other answer, and what it does not
bound, bounded."""

import asyncio
import time
import weakref
from http import HTTPStatus
from typing import Any

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame
from websockets.http11 import MAX_LINE_LENGTH, MAX_NUM_HEADERS, Request

from gateway.problems import ProblemError, too_many_connections

#: What waits in the process for a client before the writer waits too; over TLS the default would be eight times that.
WRITE_BUFFER_BYTES = 65_536
#: What a client may send of a request, its body apart, without completing it.
MAXIMUM_UNFINISHED_BYTES = 65_536
#: How long a client may take for a request, its body apart.
MAXIMUM_UNFINISHED_SECONDS = 20.0
#: How long it may then take for the whole body, whether anybody reads it or not.
MAXIMUM_BODY_SECONDS = 60.0
#: How long a client that does not read has for its close frame, or for the end of its events.
ABORT_SECONDS = 1.0
#: In a scope's extensions: `websocket.send` and `websocket.close` take `frames`, ready to be written; it holds whether
#: messages are `compressed`, and the `protocol`, for what is written without waiting.
FRAMES_EXTENSION = "tickcast.frames"
#: In a scope's state, which uvicorn copies for each request anyway: a weak reference to the HTTP connection.
CONNECTION = "tickcast.connection"
#: Frames of one WebSocket message. The limit in bytes does not see empty ones.
MAXIMUM_FRAGMENTS = 1_024

#: Of websockets' refusals: what the client must know to mend its request.
_KEPT_HEADERS = ("Allow", "Sec-WebSocket-Version", "Upgrade")


def _answer(error: ProblemError, began_seconds: float) -> bytes:
    response = error.response()
    response.headers["Connection"] = "close"
    response.headers["X-Response-Time"] = f"{time.perf_counter() - began_seconds:.6f}"
    status = HTTPStatus(response.status_code)
    headers = b"".join(b"%b: %b\r\n" % header for header in response.raw_headers)
    return f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() + headers + b"\r\n" + bytes(response.body)


class HttpProtocol(HttpToolsProtocol):
    """HTTP whose refusals are problem documents too, and which bounds what a client can make it keep."""

    url = b""  # uvicorn sets it only once a request begins
    _began_seconds = 0.0
    _unfinished_bytes = 0
    _unfinished_timer: asyncio.TimerHandle | None = None
    _in_body = False

    def __init__(self, *args: Any, maximum_connections: int, **options: Any) -> None:
        """Serve one connection of at most so many, WebSockets included."""
        super().__init__(*args, **options)
        self._maximum_connections = maximum_connections

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Wait for the first request, but not for ever; refuse where the process would run out of files."""
        self._began_seconds = time.perf_counter()
        super().connection_made(transport)
        self.app_state = {**self.app_state, CONNECTION: weakref.ref(self)}
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
        if len(self.connections) > self._maximum_connections:
            self._refuse(too_many_connections(self._maximum_connections))
            self.loop.call_later(ABORT_SECONDS, transport.abort)  # over TLS, the client could put off the end
        else:
            self._start_timer(MAXIMUM_UNFINISHED_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        self._finish()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Remember when bytes came (they may get no further than here), and count those of an unfinished request."""
        self._began_seconds = time.perf_counter()
        self._unfinished_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._unfinished_bytes > MAXIMUM_UNFINISHED_BYTES:
            self._refuse(self._too_large())
        elif self._unfinished_bytes:
            self._start_timer(MAXIMUM_UNFINISHED_SECONDS)

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body; uvicorn bounds what it keeps of bodies, but not how long they take."""
        self._unfinished_bytes = 0
        if not self._in_body:
            self._finish()
            self._in_body = True
            self._start_timer(MAXIMUM_BODY_SECONDS)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Take note that the request is complete."""
        self._finish()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Read no further requests while some of those that were read wait: the client may not read the answers."""
        super().on_response_complete()
        if self.pipeline:
            self.flow.pause_reading()

    def handle_websocket_upgrade(self) -> None:
        """Hand over without cookies: nobody reads them, and a browser sends those of every server on localhost,
        which together can be longer than websockets accepts."""
        self.scope["headers"] = [header for header in self.headers if header[0] != b"cookie"]
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text says less
        """Answer bytes that are not an HTTP request."""
        detail = "not a valid HTTP request: non-ASCII characters and spaces in the URL must be %-encoded"
        self._refuse(ProblemError(HTTPStatus.BAD_REQUEST, "invalid-request", detail))

    def cut_off_if_stalled(self) -> None:
        """Let what ends an answer be sent at once; a client that did not read what came before is cut off a little
        later."""
        if self.flow.write_paused:
            self.flow.resume_writing()  # uvicorn would wait for it
            self.cycle.keep_alive = False
            self.loop.call_later(ABORT_SECONDS, self.transport.abort)

    def _start_timer(self, seconds: float) -> None:
        if self._unfinished_timer is None:
            self._unfinished_timer = self.loop.call_later(seconds, self.transport.close)

    def _finish(self) -> None:
        self._unfinished_bytes = 0
        self._in_body = False
        if self._unfinished_timer is not None:
            self._unfinished_timer.cancel()
            self._unfinished_timer = None

    def _too_large(self) -> ProblemError:
        if len(self.url) > MAXIMUM_UNFINISHED_BYTES // 2:
            detail = f"the URL is too long: the request line and headers may have {MAXIMUM_UNFINISHED_BYTES} bytes"
            return ProblemError(HTTPStatus.REQUEST_URI_TOO_LONG, "url-too-long", detail)
        detail = f"the headers are too large: with the request line they may have {MAXIMUM_UNFINISHED_BYTES} bytes"
        return ProblemError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "headers-too-large", detail)

    def _refuse(self, error: ProblemError) -> None:
        self.transport.write(_answer(error, self._began_seconds))
        self.transport.close()


class SocketProtocol(WebSocketsSansIOProtocol):
    """WebSockets whose refused handshakes are problem documents, whose clients may go at any moment, and which take
    frames that are ready: an update is framed once for all of its clients.

    Attributes:
        stalled: The client was told goodbye, and did not read what came before.
    """

    stalled = False

    def data_received(self, data: bytes) -> None:
        """Answer a handshake that websockets' parser refuses; uvicorn would neither answer nor close."""
        began_seconds = time.perf_counter()
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self._refuse(self._unreadable(), began_seconds)

    def _unreadable(self) -> ProblemError:
        _, _, rest = b"".join(self.conn.data_to_send()).partition(b" ")
        status = HTTPStatus(int(rest[:3] or HTTPStatus.BAD_REQUEST))
        detail = (
            f"{self.conn.handshake_exc}: the handshake must be a GET without a body, with an ASCII URL, "
            f"at most {MAX_NUM_HEADERS} headers, and at most {MAX_LINE_LENGTH} bytes a line"
        )
        return ProblemError(status, "invalid-handshake", detail)

    def handle_connect(self, event: Request) -> None:
        """Refuse what is not a handshake before it reaches the application."""
        began_seconds = time.perf_counter()
        refusal = self.conn.accept(event)
        if refusal.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            super().handle_connect(event)
            self.scope["extensions"][FRAMES_EXTENSION] = {"compressed": bool(self.conn.extensions), "protocol": self}
            return
        why = (refusal.body or b"").decode("utf-8", "replace").strip().rstrip(".")
        headers = {name: refusal.headers[name] for name in _KEPT_HEADERS if name in refusal.headers}
        error = ProblemError(
            HTTPStatus(refusal.status_code), "invalid-handshake", f"{why}: use a WebSocket client", headers
        )
        self._refuse(error, began_seconds)

    def _refuse(self, error: ProblemError, began_seconds: float) -> None:
        self.handshake_initiated = self.handshake_complete = self.close_sent = True
        self.transport.write(_answer(error, began_seconds))
        self.transport.close()

    def handle_ping(self) -> None:
        """Answer pings, but drop the answers that a client does not read."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def handle_cont(self, event: Frame) -> None:
        """Take a fragment of a message, up to a limit."""
        super().handle_cont(event)
        if len(self.frames) > MAXIMUM_FRAGMENTS:
            self._fail(CloseCode.POLICY_VIOLATION, f"more than {MAXIMUM_FRAGMENTS} fragments in one message")

    def send_receive_event_to_app(self) -> None:
        """Pass a message on; for text that is not UTF-8, uvicorn would log a traceback."""
        if self.curr_msg_data_type == "text" and not _is_utf8(b"".join(self.frames)):
            self._fail(CloseCode.INVALID_DATA, "text messages must be UTF-8")
        else:
            super().send_receive_event_to_app()

    def _fail(self, code: CloseCode, reason: str) -> None:
        self.frames = []
        if not self.close_sent:
            self.conn.fail(code, reason)
            self.handle_parser_exception()

    @property
    def takes_frames(self) -> bool:
        """Tell whether the client is there, and reads: frames that are written then do not pile up."""
        return self.writable.is_set() and not (self.close_sent or self.disconnected)

    def write_frames(self, frames: list[bytes]) -> None:
        """Write frames without waiting; called where `takes_frames`."""
        self.transport.write(b"".join(frames))

    async def send(self, message: ASGISendEvent) -> None:
        """Send; a connection that uvicorn itself has ended (a ping unanswered, a frame too large) is a client gone.

        Raises:
            ClientDisconnected: It is gone.
        """
        frames: list[bytes] = message.get("frames", [])  # type: ignore[assignment]  # an extension of ours
        if (
            message["type"] == "websocket.close"
            and self.handshake_complete
            and not (self.close_sent or self.disconnected)
        ):
            await self._close(message, frames)
            return
        if not self.writable.is_set():
            await self.writable.wait()
        if self.close_sent or self.disconnected:
            raise ClientDisconnected
        if frames:
            self.transport.write(b"".join(frames))
            return
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True  # refused by us: nothing that uvicorn should complain about

    async def _close(self, message: ASGISendEvent, frames: list[bytes]) -> None:
        """Close at once, whatever the client has not read yet; one that does not read is cut off a little later."""
        self.stalled = not self.writable.is_set()
        if self.stalled:
            self.writable.set()  # uvicorn would wait for it
            self.loop.call_later(ABORT_SECONDS, self.transport.abort)
        self.transport.write(b"".join(frames))
        await super().send(message)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
