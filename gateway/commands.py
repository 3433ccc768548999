"""What clients send over the WebSocket, read with errors that name the field and the fix."""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET

from gateway.hub import EVERYTHING
from schemas.errors import TickcastError
from schemas.public import LARGEST_INTEGER
from schemas.sockets import Auth, ClientMessage, ErrorCode, ErrorMessage, Since, Subscribe, Unsubscribe
from schemas.symbols import InvalidTickerError, normalise_ticker

_EXAMPLE = '{"action": "subscribe", "tickers": ["AAPL"]}'
_SINCE_EXAMPLE = '{"epoch": "…", "seq": {"AAPL": 20411}}'

Fields = dict[str, Any]


class RefusedError(TickcastError):
    """A client's message changes nothing; the client is told why."""

    def __init__(self, code: ErrorCode, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.code: ErrorCode = code
        self.field = field
        self.request_id: str | None = None

    def message(self) -> ErrorMessage:
        """Give the answer to the client."""
        field = UNSET if self.field is None else self.field
        return ErrorMessage(code=self.code, message=str(self), field=field, id=self.request_id)


def check_count(count: int, maximum: int) -> None:
    """Let so many named tickers pass.

    Raises:
        RefusedError: They are too many.
    """
    if count > maximum:
        text = f'{count} tickers are more than {maximum}: name fewer, or ["*"] for all'
        raise RefusedError("too_many_tickers", text, "tickers")


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
    request_id = _request_id(fields)
    try:
        return _action(fields)(fields, request_id)
    except RefusedError as error:
        error.request_id = request_id
        raise


def _object(raw: bytes) -> Fields:
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise RefusedError("invalid_json", f"the message is not JSON ({error}): send {_EXAMPLE}") from error
    if not isinstance(value, dict):
        raise RefusedError("invalid_message", f"the message is not a JSON object: send {_EXAMPLE}")
    return value


def _request_id(fields: Fields) -> str | None:
    request_id: str | None = _checked(fields, "id", _is_id, "a text of at most 64 characters")
    return request_id


def _action(fields: Fields) -> Callable[[Fields, str | None], ClientMessage]:
    action = fields.get("action")
    found = _ACTIONS.get(action) if isinstance(action, str) else None
    if found is None:
        said = "is missing" if "action" not in fields else f"cannot be {_short(action)}"
        raise RefusedError("invalid_message", f'action {said}: use "subscribe", "unsubscribe" or "auth"', "action")
    return found


def _subscribe(fields: Fields, request_id: str | None) -> Subscribe:
    return Subscribe(
        _tickers(fields),
        id=request_id,
        since=_since(fields),
        max_rate=_checked(fields, "max_rate", _is_rate, "a number from 0.001 to 1000"),
        min_confidence=_checked(fields, "min_confidence", _is_share, "a number from 0 to 1"),
        final_only=_checked(fields, "final_only", _is_boolean, "true or false") or False,
        format=_checked(fields, "format", _is_format, '"json" or "msgpack"') or "json",
    )


def _unsubscribe(fields: Fields, request_id: str | None) -> Unsubscribe:
    return Unsubscribe(_tickers(fields), id=request_id)


def _auth(fields: Fields, request_id: str | None) -> Auth:
    key = _checked(fields, "key", _is_text, "an API key")
    token = _checked(fields, "token", _is_text, "an access token")
    if (key is None) == (token is None):
        raise RefusedError("invalid_message", "send one of key and token: an API key, or an access token", "key")
    return Auth(key=key, token=token, id=request_id)


_ACTIONS: dict[str, Callable[[Fields, str | None], ClientMessage]] = {
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
    "auth": _auth,
}


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 64


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_boolean(value: Any) -> bool:
    return isinstance(value, bool)


def _is_format(value: Any) -> bool:
    return value in ("json", "msgpack") if isinstance(value, str) else False


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_rate(value: Any) -> bool:
    return _is_number(value) and 0.001 <= value <= 1_000


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _checked(fields: Fields, name: str, right: Callable[[Any], bool], fix: str) -> Any:
    """Give an optional field's value, or None."""
    value = fields.get(name)
    if value is not None and not right(value):
        shown = "that" if name in ("key", "token") else _short(value)  # an error must not repeat a secret
        raise RefusedError("invalid_message", f"{name} cannot be {shown}: give {fix}", name)
    return value


def _since(fields: Fields) -> Since | None:
    value = fields.get("since")
    if value is None:
        return None
    epoch, seq = (value.get("epoch"), value.get("seq")) if isinstance(value, dict) else (None, None)
    if not isinstance(epoch, str) or not isinstance(seq, dict):
        raise RefusedError("invalid_message", f"since cannot be {_short(value)}: give {_SINCE_EXAMPLE}", "since")
    return Since(epoch, {_symbol(ticker, "since.seq"): _offset(ticker, number) for ticker, number in seq.items()})


def _offset(ticker: str, number: Any) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= LARGEST_INTEGER:
        text = f"since.seq of {ticker[:16]!r} cannot be {_short(number)}: give the seq of its last message"
        raise RefusedError("invalid_message", text, "since.seq")
    return number


def _tickers(fields: Fields) -> list[str]:
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
    return ticker if ticker == EVERYTHING else _symbol(ticker, field)


def _symbol(ticker: str, field: str) -> str:
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
