"""What can go wrong, named by what the caller can do."""

from typing import Any


class ClientError(Exception):
    """Anything that the client raises of its own."""


class UnreachableError(ClientError):
    """Nothing answered, or not in time: try again later. Streams do so by themselves and never raise it."""


class RequestError(ClientError):
    """The gateway answered a request with an error.

    Attributes:
        status: Of HTTP.
        problem: The RFC 9457 document: `type`, `title`, `detail` and more; empty where it was none.
        retry_after_seconds: When to come again, where the gateway said it.
    """

    def __init__(self, status: int, problem: dict[str, Any], retry_after_seconds: float | None = None) -> None:
        super().__init__(f"{status}: {problem.get('detail', 'no detail')}")
        self.status = status
        self.problem = problem
        self.retry_after_seconds = retry_after_seconds


class RefusedError(ClientError):
    """The gateway does not want this stream, and will not want it later: change the key, the tickers or the address.

    Attributes:
        code: The close code (4500 to 4999), the HTTP status of the refused handshake, or 0 for an `error` message
            or a certificate that is not trusted.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}" if code else reason)
        self.code = code


class ProtocolError(ClientError):
    """The gateway said what the protocol does not know: client and gateway are of different versions."""
