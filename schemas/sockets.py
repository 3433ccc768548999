"""The messages of `WS /ws/predictions`."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from schemas.public import PublicPrediction

PROTOCOL_VERSION = 1
SOCKET_PATH = "/ws/predictions"

ErrorCode = Literal["invalid_json", "invalid_message", "invalid_ticker", "too_many_tickers", "message_too_large"]


class Subscribe(Struct, frozen=True, tag_field="action", tag="subscribe"):
    """Client: send me these tickers too; `["*"]` is all of them."""

    tickers: list[str]


class Unsubscribe(Struct, frozen=True, tag_field="action", tag="unsubscribe"):
    """Client: no longer send me these tickers; `["*"]` is all of them."""

    tickers: list[str]


ClientMessage = Subscribe | Unsubscribe


class Welcome(Struct, frozen=True, tag_field="type", tag="welcome"):
    """Server: the first message of a connection; `tickers` is the number of known ones."""

    version: str
    protocol: int
    tickers: int
    heartbeat_seconds: float
    timestamp: str


class Subscribed(Struct, frozen=True, tag_field="type", tag="subscribed"):
    """Server: the whole list that the client now gets, after every change of it."""

    tickers: list[str]
    unknown: list[str]


class Snapshot(Struct, frozen=True, tag_field="type", tag="snapshot"):
    """Server: the latest prediction of each newly subscribed ticker, as `/predict/{ticker}` gives it."""

    predictions: list[PublicPrediction]


class PredictionMessage(PublicPrediction, frozen=True, kw_only=True, tag_field="type", tag="prediction"):
    """Server: a new prediction; the same fields as `/predict/{ticker}`, `ticker` at the top."""


class Heartbeat(Struct, frozen=True, tag_field="type", tag="heartbeat"):
    """Server: still here; `count` rises by one each time, `skipped` counts updates replaced by newer ones."""

    count: int
    skipped: int
    timestamp: str


class ErrorMessage(Struct, frozen=True, tag_field="type", tag="error"):
    """Server: what was wrong with the client's last message, and the fix; the connection stays open."""

    code: ErrorCode
    message: str
    field: str | UnsetType = UNSET


ServerMessage = Welcome | Subscribed | Snapshot | PredictionMessage | Heartbeat | ErrorMessage
