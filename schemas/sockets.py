"""The messages of `WS /ws/predictions` and `WS /ws/bars`, second version.

Text messages are JSON, binary ones msgpack with the same fields. Close codes are in `schemas.close_codes`.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from schemas.events import Origin
from schemas.public import Integer, PublicPrediction, Time
from schemas.times import Interval

PROTOCOL_VERSION = 2
SOCKET_PATH = "/ws/predictions"
BARS_SOCKET_PATH = "/ws/bars"
#: The messages of `/ws/predictions` as server-sent events.
EVENTS_PATH = "/events/predictions"
#: Tickers in one message of a snapshot.
SNAPSHOT_TICKERS = 100
#: Records are held for resuming this long, and in this many bytes of both streams.
HELD_SECONDS = 60
HELD_BYTES = 64 * 1024 * 1024

ErrorCode = Literal[
    "invalid_json",
    "invalid_message",
    "invalid_ticker",
    "too_many_tickers",
    "message_too_large",
    "auth_required",
    "auth_failed",
    "auth_expired",
    "forbidden",
    "rate_limited",
]
MessageFormat = Literal["json", "msgpack"]
RequestId = Annotated[str, Meta(max_length=64)]


class Since(Struct, frozen=True):
    """Where a client left off.

    Attributes:
        epoch: As `welcome` and `subscribed` gave it.
        seq: By ticker, of the last message taken.
    """

    epoch: str
    seq: dict[str, Integer]


class Auth(Struct, frozen=True, tag_field="action", tag="auth"):
    """Client: who I am, by one of the two; again before it expires: subscriptions stay.

    Attributes:
        id: Comes back with the answer.
    """

    key: str | None = None
    token: str | None = None
    id: RequestId | None = None


class Subscribe(Struct, frozen=True, tag_field="action", tag="subscribe"):
    """Client: send me these tickers too; `["*"]` is all of them.

    Attributes:
        id: Comes back with the answer.
        since: Resume there: nothing of it, or everything after it, comes again.
        max_rate: Provisional updates a second and ticker, of which the newest is sent; finals are not counted.
        min_confidence: Only predictions whose shortest horizon has at least this confidence.
        final_only: Only predictions of closed bars.
        format: Of the snapshots and updates; everything else is JSON.
    """

    tickers: list[str]
    id: RequestId | None = None
    since: Since | None = None
    max_rate: Annotated[float, Meta(ge=0.001, le=1_000)] | None = None
    min_confidence: Annotated[float, Meta(ge=0, le=1)] | None = None
    final_only: bool = False
    format: MessageFormat = "json"


class Unsubscribe(Struct, frozen=True, tag_field="action", tag="unsubscribe"):
    """Client: no longer send me these tickers; `["*"]` is all of them.

    Attributes:
        id: Comes back with the answer.
    """

    tickers: list[str]
    id: RequestId | None = None


ClientMessage = Auth | Subscribe | Unsubscribe


class Limits(Struct, frozen=True, kw_only=True):
    """What one connection may ask, and how slow it may be.

    Attributes:
        maximum_tickers: That may be named; `*` does not count.
        maximum_message_bytes: Of a client's message.
        conflate_after_seconds: When the oldest unsent message has waited so long, only what is newest is sent.
        close_after_seconds: When it has waited so long, the connection is closed with 4000.
        held_seconds: How long records are held for resuming.
    """

    maximum_tickers: Integer
    maximum_message_bytes: Integer
    conflate_after_seconds: float
    close_after_seconds: float
    held_seconds: float


class Welcome(Struct, frozen=True, tag_field="type", tag="welcome"):
    """Server: the first message of a connection; `tickers` is the number of known ones.

    Attributes:
        session: Names the connection, in the gateway's log too.
        epoch: Names the topic's incarnation: sequence numbers of another one mean nothing.
    """

    version: str
    protocol: int
    tickers: int
    heartbeat_seconds: float
    timestamp: str
    session: str = ""
    epoch: str = ""
    limits: Limits | None = None


class Authenticated(Struct, frozen=True, kw_only=True, tag_field="type", tag="authenticated"):
    """Server: the credentials are right.

    Attributes:
        scopes: What they allow.
        expires_at: Send `auth` again before; null: they do not expire.
    """

    scopes: list[str]
    expires_at: Time | None = None
    id: str | None = None


class AuthExpiring(Struct, frozen=True, kw_only=True, tag_field="type", tag="auth_expiring"):
    """Server: the key or token is good for a little longer only: send `auth` with another one, and nothing changes.

    Attributes:
        expires_at: Then the connection is closed with 4002.
    """

    expires_at: Time


class Subscribed(Struct, frozen=True, tag_field="type", tag="subscribed"):
    """Server: the whole list that the client now gets, after every change of it.

    Attributes:
        unknown: Those of the list that nothing is known of yet.
        id: That of the client's message.
        gapless: Every record comes, in this subscription: it has no `max_rate`, `min_confidence` or `final_only`.
        recovered: Whether all that was named in `since` was still held, so that everything after it follows; null
            without `since`.
        lost: Those named in `since` that were not: a snapshot follows.
    """

    tickers: list[str]
    unknown: list[str]
    id: str | None = None
    epoch: str = ""
    gapless: bool = True
    recovered: bool | None = None
    lost: list[str] = []


class StreamedPrediction(PublicPrediction, frozen=True, kw_only=True):
    """A prediction with its place in the log.

    Attributes:
        seq: Offset of its record; it rises within a ticker, not by one.
        prev: `seq` of the ticker's record before it: another one than you have means that you missed something. Null:
            none is known.
        prev_final: Of a final: `seq` of the ticker's final before it; null: none is known.
    """

    seq: Integer | None = None
    prev: Integer | None = None
    prev_final: Integer | None = None


class Snapshot(Struct, frozen=True, tag_field="type", tag="snapshot"):
    """Server: the latest prediction of each newly subscribed ticker, as `/predict/{ticker}` gives it.

    Attributes:
        complete: This was the last message of the snapshot; what follows is newer.
    """

    predictions: list[StreamedPrediction]
    complete: bool = True


class PredictionMessage(StreamedPrediction, frozen=True, kw_only=True, tag_field="type", tag="prediction"):
    """Server: a new prediction; the same fields as `/predict/{ticker}`, `ticker` at the top."""


class StreamedBar(Struct, frozen=True, kw_only=True):
    """A closed bar with its place in the log.

    Attributes:
        start: The bar is `[start, end)`.
        bar_index: Closed bars of the ticker so far, this one included.
        partial: Ticks were lost while it was open.
        closed_at: Wall time.
        seq: Offset of its record; it rises within a ticker, not by one.
        prev: `seq` of the ticker's bar before it; null: none is known.
    """

    ticker: str
    interval: Interval
    start: Time
    end: Time
    open: float
    high: float
    low: float
    close: float
    volume: float
    tick_count: Integer
    bar_index: Integer
    partial: bool
    origin: Origin
    id: str
    source_partition: Integer
    source_offset: Integer
    ingested_at: Time
    closed_at: Time
    seq: Integer | None = None
    prev: Integer | None = None


class BarMessage(StreamedBar, frozen=True, kw_only=True, tag_field="type", tag="bar"):
    """Server, at `/ws/bars`: a bar has closed."""


class FormingBarMessage(Struct, frozen=True, kw_only=True, tag_field="type", tag="forming_bar"):
    """Server, at `/ws/bars`: the bar so far; it has no place in the log, and is not resumed.

    Attributes:
        bar_index: Closed bars of the ticker so far, this one not included.
        updated_at: Wall time.
    """

    ticker: str
    interval: Interval
    start: Time
    end: Time
    open: float
    high: float
    low: float
    close: float
    volume: float
    tick_count: Integer
    bar_index: Integer
    partial: bool
    origin: Origin
    updated_at: Time


class BarSnapshot(Struct, frozen=True, kw_only=True, tag_field="type", tag="bar_snapshot"):
    """Server, at `/ws/bars`: the last closed bar of each newly subscribed ticker that has one.

    Attributes:
        complete: This was the last message of the snapshot; what follows is newer.
    """

    bars: list[StreamedBar]
    complete: bool


class Heartbeat(Struct, frozen=True, tag_field="type", tag="heartbeat"):
    """Server: still here; `count` rises by one each time, `skipped` counts updates replaced by newer ones.

    Attributes:
        upstream_age_seconds: Age of the newest record of the topic; null before the first.
    """

    count: int
    skipped: int
    timestamp: str
    upstream_age_seconds: float | None = None


class ErrorMessage(Struct, frozen=True, tag_field="type", tag="error"):
    """Server: what was wrong with the client's last message, and the fix; the connection stays open.

    Attributes:
        id: That of the client's message, where it could be read.
    """

    code: ErrorCode
    message: str
    field: str | UnsetType = UNSET
    id: str | None = None


class ServerShutdown(Struct, frozen=True, kw_only=True, tag_field="type", tag="server_shutdown"):
    """Server: the last message before a close with 1001.

    Attributes:
        reconnect_after_ms: Drawn for each client, so that not all of them come at once.
    """

    reconnect_after_ms: Integer
    message: str


PredictionsServerMessage = (
    Welcome
    | Authenticated
    | AuthExpiring
    | Subscribed
    | Snapshot
    | PredictionMessage
    | Heartbeat
    | ErrorMessage
    | ServerShutdown
)
BarsServerMessage = (
    Welcome
    | Authenticated
    | AuthExpiring
    | Subscribed
    | BarSnapshot
    | BarMessage
    | FormingBarMessage
    | Heartbeat
    | ErrorMessage
    | ServerShutdown
)
ServerMessage = PredictionsServerMessage | BarsServerMessage
