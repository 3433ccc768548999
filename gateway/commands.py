"""What clients send over the WebSocket, read with errors that name the field and the fix."""

from typing import Any

import msgspec
from msgspec import UNSET

from gateway.hub import EVERYTHING
from schemas.errors import TickcastError
from schemas.sockets import ClientMessage, ErrorCode, ErrorMessage, Subscribe, Unsubscribe
from schemas.symbols import InvalidTickerError, normalise_ticker

_EXAMPLE = '{"action": "subscribe", "tickers": ["AAPL"]}'
_ACTIONS: dict[str, type[Subscribe] | type[Unsubscribe]] = {"subscribe": Subscribe, "unsubscribe": Unsubscribe}


class RefusedError(TickcastError):
    """A client's message changes nothing; the client is told why."""

    def __init__(self, code: ErrorCode, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.code: ErrorCode = code
        self.field = field

    def message(self) -> ErrorMessage:
        """Give the answer to the client."""
        return ErrorMessage(code=self.code, message=str(self), field=UNSET if self.field is None else self.field)


def read_command(data: str | bytes, *, maximum_bytes: int) -> ClientMessage:
    """Read a client's message; tickers come out upper-case, unknown fields are ignored.

    Raises:
        RefusedError: It is not a valid message; the text names the field and the fix.
    """
    raw = data.encode("utf-8", "replace") if isinstance(data, str) else data
    if len(raw) > maximum_bytes:
        text = f"the message has {len(raw)} bytes, more than {maximum_bytes}: send several smaller ones"
        raise RefusedError("message_too_large", text)
    fields = _object(raw)
    command = _action(fields)
    return command(_tickers(fields))


def _object(raw: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise RefusedError("invalid_json", f"the message is not JSON ({error}): send {_EXAMPLE}") from error
    if not isinstance(value, dict):
        raise RefusedError("invalid_message", f"the message is not a JSON object: send {_EXAMPLE}")
    return value


def _action(fields: dict[str, Any]) -> type[Subscribe] | type[Unsubscribe]:
    action = fields.get("action")
    found = _ACTIONS.get(action) if isinstance(action, str) else None
    if found is None:
        said = "is missing" if "action" not in fields else f"cannot be {_short(action)}"
        raise RefusedError("invalid_message", f'action {said}: use "subscribe" or "unsubscribe"', "action")
    return found


def _tickers(fields: dict[str, Any]) -> list[str]:
    tickers = fields.get("tickers")
    if not isinstance(tickers, list):
        said = "is missing" if "tickers" not in fields else f"cannot be {_short(tickers)}"
        raise RefusedError("invalid_message", f'tickers {said}: give a list like ["AAPL"], or ["*"]', "tickers")
    return list(dict.fromkeys(_ticker(ticker, index) for index, ticker in enumerate(tickers)))


def _ticker(ticker: Any, index: int) -> str:
    field = f"tickers[{index}]"
    if not isinstance(ticker, str):
        text = f'{field} cannot be {_short(ticker)}: give a symbol as text, like "AAPL"'
        raise RefusedError("invalid_ticker", text, field)
    if ticker == EVERYTHING:
        return ticker
    try:
        return normalise_ticker(ticker)
    except InvalidTickerError as error:
        raise RefusedError("invalid_ticker", f"{field}: {error}", field) from error


def _short(value: Any) -> str:
    try:
        text = msgspec.json.encode(value).decode()
    except RecursionError:  # the decoder reads a little deeper than the encoder writes
        return "so deeply nested"
    return text if len(text) <= 40 else f"{text[:40]}…"
