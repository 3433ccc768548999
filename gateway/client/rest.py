"""Requests over HTTP: one pool of connections, typed answers, errors as they are meant."""

from collections.abc import Mapping
from typing import Any, TypeVar

import httpx
import msgspec
from msgspec import Struct

from gateway.client.credentials import Credentials
from gateway.client.errors import ProtocolError, RequestError, UnreachableError

Answer = TypeVar("Answer", bound=Struct)


class Rest:
    """Asks the gateway, with the credentials of the moment."""

    def __init__(self, url: str, credentials: Credentials, timeout_seconds: float) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=timeout_seconds)
        self._credentials = credentials

    async def get(self, path: str, answer_type: type[Answer], query: Mapping[str, Any] | None = None) -> Answer:
        """Ask for a document; what is None in the query is left out.

        Raises:
            UnreachableError: No answer came.
            RequestError: The answer was an error.
            ProtocolError: The answer was not such a document.
        """
        given = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            response = await self._http.get(path, params=given, headers=self._credentials.headers())
        except httpx.TransportError as error:
            raise UnreachableError(f"{self._http.base_url}: {error or type(error).__name__}") from error
        if not response.is_success:
            raise RequestError(
                response.status_code, problem_of(response.content), retry_after_seconds(response.headers)
            )
        try:
            return msgspec.json.decode(response.content, type=answer_type)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ProtocolError(f"GET {path}: {error}") from error

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Give `Retry-After` where it is a number of seconds."""
    text = headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else None


def problem_of(body: bytes) -> dict[str, Any]:
    """Read an RFC 9457 document; empty where something between us and the gateway answered otherwise."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
