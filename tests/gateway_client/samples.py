"""What a gateway says."""

from typing import Any

import msgspec
from msgspec.structs import replace

from schemas.asyncapi_messages import read_example
from schemas.sockets import (
    HELD_SECONDS,
    PROTOCOL_VERSION,
    BarMessage,
    FormingBarMessage,
    Limits,
    PredictionMessage,
    StreamedPrediction,
    Subscribed,
    Welcome,
)

_VALUES = read_example("PredictionMessage") | {"prev_final": None}
_UPDATE = msgspec.convert(_VALUES, PredictionMessage)
_STREAMED = msgspec.convert(_VALUES, StreamedPrediction)


def welcome(epoch: str = "one", **changes: Any) -> Welcome:
    limits = Limits(
        maximum_tickers=1_000,
        maximum_message_bytes=65_536,
        conflate_after_seconds=1.0,
        close_after_seconds=10.0,
        held_seconds=HELD_SECONDS,
    )
    values: dict[str, Any] = {
        "version": "0.1.0",
        "protocol": PROTOCOL_VERSION,
        "tickers": 2,
        "heartbeat_seconds": 10.0,
        "timestamp": "2026-01-01T00:00:00Z",
        "session": "session",
        "epoch": epoch,
        "limits": limits,
    }
    return Welcome(**values | changes)


def subscribed(*tickers: str, epoch: str = "one", **changes: Any) -> Subscribed:
    values: dict[str, Any] = {"tickers": list(tickers), "unknown": [], "epoch": epoch}
    return Subscribed(**values | changes)


def update(ticker: str, seq: int, prev: int | None, **changes: Any) -> PredictionMessage:
    return replace(_UPDATE, **{"ticker": ticker, "seq": seq, "prev": prev, **changes})


def streamed(ticker: str, seq: int, prev: int | None, **changes: Any) -> StreamedPrediction:
    return replace(_STREAMED, **{"ticker": ticker, "seq": seq, "prev": prev, **changes})


def bar(ticker: str, seq: int, prev: int | None) -> BarMessage:
    return msgspec.convert(read_example("BarMessage") | {"ticker": ticker, "seq": seq, "prev": prev}, BarMessage)


def forming_bar(ticker: str) -> FormingBarMessage:
    return msgspec.convert(read_example("FormingBarMessage") | {"ticker": ticker}, FormingBarMessage)
