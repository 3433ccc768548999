"""What a request may bring along: JSON, and not too much of it."""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.problems import ProblemError

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_JSON = "application/json"


def _too_large(maximum_bytes: int) -> ProblemError:
    detail = f"the body has more than {maximum_bytes} bytes, the limit set by TICKCAST_MAXIMUM_BODY_BYTES: send less"
    return ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body-too-large", detail, field="body")


class Bodies:
    """Reads the bodies of changing requests whole; refuses those that are no JSON, or too large."""

    def __init__(self, app: ASGIApp, maximum_bytes: int) -> None:
        self._app = app
        self._maximum_bytes = maximum_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer that it is refused."""
        if scope["type"] != "http" or scope["method"] in _READING:
            await self._app(scope, receive, send)
            return
        try:
            first = await self._first_message(Headers(scope=scope), receive)
        except ProblemError as refused:
            await refused.response()(scope, receive, send)
            return
        await self._app(scope, _replaying(first, receive), send)

    async def _first_message(self, headers: Headers, receive: Receive) -> Message:
        """Give the message that holds the whole body, or says that the client is gone."""
        declared = headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._maximum_bytes:
            raise _too_large(self._maximum_bytes)
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return message
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._maximum_bytes:
                raise _too_large(self._maximum_bytes)
        if body and headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
            detail = f"the body must be JSON: send it with Content-Type: {_JSON}"
            raise ProblemError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail, field="Content-Type"
            )
        return {"type": "http.request", "body": bytes(body), "more_body": False}


def _replaying(first: Message, receive: Receive) -> Receive:
    waiting = [first]

    async def received() -> Message:
        return waiting.pop() if waiting else await receive()

    return received
