"""What uvicorn says before the application is asked, and after a client is gone, said as everywhere else."""

import time
from http import HTTPStatus

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from gateway.problems import ProblemError

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
    """HTTP whose refusal of what is none is a problem document too."""

    _began_seconds = 0.0

    def data_received(self, data: bytes) -> None:
        """Remember when bytes came: they may get no further than here."""
        self._began_seconds = time.perf_counter()
        super().data_received(data)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words say less
        """Answer bytes that are no HTTP request."""
        detail = "this is no HTTP request: letters beyond ASCII, spaces and the like in its address must be %-encoded"
        error = ProblemError(HTTPStatus.BAD_REQUEST, "invalid-request", detail)
        self.transport.write(_answer(error, self._began_seconds))
        self.transport.close()


class SocketProtocol(WebSocketsSansIOProtocol):
    """WebSockets whose refused handshakes are problem documents, and whose clients may go at any moment."""

    def handle_connect(self, event: Request) -> None:
        """Refuse what is no handshake before it reaches the application."""
        began_seconds = time.perf_counter()
        refusal = self.conn.accept(event)
        if refusal.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            super().handle_connect(event)
            return
        why = (refusal.body or b"").decode("utf-8", "replace").strip().rstrip(".")
        headers = {name: refusal.headers[name] for name in _KEPT_HEADERS if name in refusal.headers}
        error = ProblemError(
            HTTPStatus(refusal.status_code), "invalid-handshake", f"{why}: use a WebSocket client", headers
        )
        self.handshake_initiated = self.handshake_complete = self.close_sent = True
        self.transport.write(_answer(error, began_seconds))
        self.transport.close()

    async def send(self, message: ASGISendEvent) -> None:
        """Send; a connection that uvicorn itself has ended (a ping unanswered, a frame too large) is a client gone.

        Raises:
            ClientDisconnected: It is gone.
        """
        await self.writable.wait()
        if self.close_sent:
            raise ClientDisconnected
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True  # refused by us: nothing that uvicorn should complain about
