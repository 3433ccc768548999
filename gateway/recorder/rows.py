"""Events as rows. Pure."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct
from sqlalchemy import Table

from gateway.database.history import BARS, FEATURES, OUTCOMES, PREDICTIONS
from schemas.codec import UndecodableError, decoder
from schemas.events import Bar, Features, Outcome, Prediction, PriceRange
from schemas.symbols import is_ticker
from schemas.topics import BARS as BARS_TOPIC
from schemas.topics import FEATURES as FEATURES_TOPIC
from schemas.topics import OUTCOMES as OUTCOMES_TOPIC
from schemas.topics import PREDICTIONS as PREDICTIONS_TOPIC
from schemas.topics import Topic

Row = dict[str, Any]
#: The rows of a record, given its value and the wall time; none where it is not kept.
Rows = Callable[[bytes | None, int], list[Row]]


class _Finality(Struct):
    """All that is read of a feature event at first: most of them are provisional."""

    final: bool


_finality, _features = decoder(_Finality), decoder(Features)
_prediction, _outcome, _bar = decoder(Prediction), decoder(Outcome), decoder(Bar)


def _ticker(ticker: str) -> str:
    if not is_ticker(ticker):
        raise UndecodableError(f"ticker {ticker[:32]!r} is not a symbol")
    return ticker


def _same_names(event: Struct, table: Table) -> Row:
    """Give the values of an event that a table has a column for."""
    return {column.name: getattr(event, column.name) for column in table.columns if hasattr(event, column.name)}


def _ends(bounds: PriceRange | None, level: int) -> Row:
    return {f"low_{level}": bounds.low if bounds else None, f"high_{level}": bounds.high if bounds else None}


def prediction_rows(value: bytes | None, now_ns: int) -> list[Row]:
    """Give a row a horizon.

    Raises:
        UndecodableError: It is no prediction.
    """
    prediction = _prediction(value)
    shared = {
        "ticker": _ticker(prediction.ticker),
        "interval": prediction.interval,
        "as_of_ns": prediction.as_of_ns,
        "prediction_id": prediction.id,
        "bar_index": prediction.bar_index,
        "current_price": prediction.current_price,
        "model_set": prediction.model_set,
        "origin": prediction.origin,
        "in_sample": prediction.in_sample,
        "degraded": prediction.degraded,
        "recorded_ns": now_ns,
    }
    return [
        {
            **shared,
            "horizon": said.horizon,
            "target_time_ns": said.target_time_ns,
            "price_target": said.price_target,
            "log_return": said.log_return,
            "direction": said.direction,
            "confidence": said.confidence,
            "signal": said.signal,
            **_ends(said.interval_95, 95),
            **_ends(said.interval_99, 99),
        }
        for said in prediction.horizons
    ]


def outcome_rows(value: bytes | None, now_ns: int) -> list[Row]:
    """Give the row of an outcome.

    Raises:
        UndecodableError: It is none.
    """
    outcome = _outcome(value)
    return [
        _same_names(outcome, OUTCOMES)
        | {"ticker": _ticker(outcome.ticker), "outcome_id": outcome.id, "recorded_ns": now_ns}
    ]


def bar_rows(value: bytes | None, now_ns: int) -> list[Row]:
    """Give the row of a closed bar.

    Raises:
        UndecodableError: It is none.
    """
    bar = _bar(value)
    return [_same_names(bar, BARS) | {"ticker": _ticker(bar.ticker), "recorded_ns": now_ns}]


def feature_rows(value: bytes | None, now_ns: int) -> list[Row]:
    """Give the row of a closed bar's indicators; none for the bar so far.

    Raises:
        UndecodableError: It is no feature event.
    """
    if not _finality(value).final:
        return []
    event = _features(value)
    return [
        {
            "ticker": _ticker(event.ticker),
            "interval": event.interval,
            "as_of_ns": event.as_of_ns,
            "bar_index": event.bar_index,
            "close": event.current_price,
            "indicators": event.indicators,
            "origin": event.origin,
            "recorded_ns": now_ns,
        }
    ]


#: What is recorded: the topic, the table that it goes to, and how.
RECORDED: tuple[tuple[Topic, Table, Rows], ...] = (
    (BARS_TOPIC, BARS, bar_rows),
    (PREDICTIONS_TOPIC, PREDICTIONS, prediction_rows),
    (OUTCOMES_TOPIC, OUTCOMES, outcome_rows),
    (FEATURES_TOPIC, FEATURES, feature_rows),
)
