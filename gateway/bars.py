"""Bars as people see them: the JSON of `/ws/bars`."""

import msgspec

from gateway.presentation import safe_integer, time_text
from schemas.codec import UndecodableError
from schemas.events import Bar, Prediction
from schemas.sockets import FormingBarMessage, StreamedBar
from schemas.symbols import is_ticker

_TYPE = b'{"type":"forming_bar",'
#: What its place in the log says comes first in a message, and is not part of the body.
_PLACE = b',"seq":null,"prev":null}'


def _ticker(ticker: str) -> str:
    if not is_ticker(ticker):
        raise UndecodableError(f"Bar: ticker {ticker[:32]!r} is not a symbol")
    return ticker


def present_bar(bar: Bar) -> bytes:
    """Give a closed bar as JSON, without its place in the log.

    Raises:
        UndecodableError: A value cannot be said at the edge.
    """
    public = StreamedBar(
        ticker=_ticker(bar.ticker),
        interval=bar.interval,
        start=time_text(bar.start_ns),
        end=time_text(bar.end_ns),
        open=bar.open,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        volume=bar.volume,
        tick_count=safe_integer(bar.tick_count, "tick_count"),
        bar_index=safe_integer(bar.bar_index, "bar_index"),
        partial=bar.partial,
        origin=bar.origin,
        id=bar.id,
        source_partition=safe_integer(bar.source_partition, "source_partition"),
        source_offset=safe_integer(bar.source_offset, "source_offset"),
        ingested_at=time_text(bar.ingested_at_ns),
        closed_at=time_text(bar.closed_at_ns),
    )
    return msgspec.json.encode(public).removesuffix(_PLACE) + b"}"


def present_forming(prediction: Prediction) -> bytes:
    """Give the bar so far of a prediction as JSON.

    Raises:
        UndecodableError: It has none, or a value cannot be said at the edge.
    """
    bar = prediction.bar
    if bar is None:
        raise UndecodableError("Prediction: bar is null")
    message = FormingBarMessage(
        ticker=_ticker(prediction.ticker),
        interval=prediction.interval,
        start=time_text(bar.start_ns),
        end=time_text(bar.end_ns),
        open=bar.open,
        high=bar.high,
        low=bar.low,
        close=bar.close,
        volume=bar.volume,
        tick_count=safe_integer(bar.tick_count, "tick_count"),
        bar_index=safe_integer(prediction.bar_index, "bar_index"),
        partial=prediction.partial,
        origin=prediction.origin,
        updated_at=time_text(prediction.predicted_at_ns),
    )
    return b"{" + msgspec.json.encode(message).removeprefix(_TYPE)
