"""Past predictions beside what happened, as people see them. Pure."""

import csv
import io
import math
from collections.abc import Sequence
from typing import Any

from msgspec import Struct, structs
from sqlalchemy import RowMapping

from gateway.database.outcomes import Sums, share
from gateway.presentation import time_text
from schemas.events import Direction, PriceRange, Signal
from schemas.public import Integer, Time
from schemas.times import Interval

Row = RowMapping | dict[str, Any]


class Happened(Struct, frozen=True, kw_only=True):
    """What became of a prediction.

    Attributes:
        log_return: Of the price, over the horizon.
        hit: The direction was right; null where it was neutral or the price did not move.
        counted: It counts in the accuracy; else `not_counted_because` says why not.
    """

    matured_at: Time
    price: float
    log_return: float
    hit: bool | None
    inside_95: bool | None
    inside_99: bool | None
    counted: bool
    not_counted_because: str | None


class PastPrediction(Struct, frozen=True, kw_only=True):
    """What was predicted at the close of a bar; `outcome` is null until the horizon has passed."""

    id: str
    as_of: Time
    target_time: Time
    current_price: float
    price_target: float
    log_return: float
    direction: Direction
    confidence: float
    signal: Signal | None
    interval_95: PriceRange | None
    interval_99: PriceRange | None
    model_set: str
    in_sample: bool
    degraded: str | None
    outcome: Happened | None


class SpanAccuracy(Struct, frozen=True, kw_only=True):
    """Over all of the span that has matured and counts, in the rows or not; null where nothing does.

    Attributes:
        matured: Predictions whose horizon has passed.
        counted: Those of them that count.
        hit_rate: Share of right directions among those that had one and whose price moved, `directions` in number.
        baseline_hit_rate: The same for whoever always says the more frequent direction before the models' training
            ended.
        mean_absolute_error: Of the log return; `no_change_error` is that of the forecast that nothing moves.
        coverage_95: Share of prices within the interval that was said.
    """

    matured: int
    counted: int
    directions: int
    hit_rate: float | None
    baseline_hit_rate: float | None
    mean_absolute_error: float | None
    no_change_error: float | None
    coverage_95: float | None
    coverage_99: float | None


class History(Struct, frozen=True, kw_only=True):
    """Newest first.

    Attributes:
        complete: All of the span is here; else older predictions are left out: ask for fewer days, or a higher `limit`.
    """

    ticker: str
    interval: Interval | None
    horizon: Integer
    days: Integer
    complete: bool
    accuracy: SpanAccuracy
    history: list[PastPrediction]


def history_of(ticker: str, horizon: int, days: int, rows: Sequence[Row], outcomes: Sums, limit: int) -> History:
    """Make the document.

    Args:
        rows: Of which one more than the limit was asked for.
        outcomes: Of all of the span.
    """
    kept = rows[:limit]
    return History(
        ticker=ticker,
        interval=kept[0]["interval"] if kept else None,
        horizon=horizon,
        days=days,
        complete=len(rows) <= limit,
        accuracy=_accuracy(outcomes),
        history=[_past(row) for row in kept],
    )


def _past(row: Row) -> PastPrediction:
    return PastPrediction(
        id=row["prediction_id"],
        as_of=time_text(row["as_of_ns"]),
        target_time=time_text(row["target_time_ns"]),
        current_price=row["current_price"],
        price_target=row["price_target"],
        log_return=row["log_return"],
        direction=Direction(row["direction"]),
        confidence=row["confidence"],
        signal=None if row["signal"] is None else Signal(row["signal"]),
        interval_95=_range(row, 95),
        interval_99=_range(row, 99),
        model_set=row["model_set"],
        in_sample=row["in_sample"],
        degraded=row["degraded"],
        outcome=None if row["matured_ns"] is None else _happened(row),
    )


def _range(row: Row, level: int) -> PriceRange | None:
    low, high = row[f"low_{level}"], row[f"high_{level}"]
    return None if low is None or high is None else PriceRange(low, high)


def _happened(row: Row) -> Happened:
    return Happened(
        matured_at=time_text(row["matured_ns"]),
        price=row["current_price"] * math.exp(row["actual_log_return"]),
        log_return=row["actual_log_return"],
        hit=row["hit"],
        inside_95=row["inside_95"],
        inside_99=row["inside_99"],
        counted=row["scored"],
        not_counted_because=row["unscored_reason"],
    )


def _accuracy(sums: Sums) -> SpanAccuracy:
    return SpanAccuracy(
        matured=sums.matured,
        counted=sums.counted,
        directions=sums.trials,
        hit_rate=share(sums.hits, sums.trials),
        baseline_hit_rate=share(sums.usual_hits, sums.usual_trials),
        mean_absolute_error=share(sums.error, sums.counted),
        no_change_error=share(sums.no_change_error, sums.counted),
        coverage_95=share(sums.inside_95, sums.known_95),
        coverage_99=share(sums.inside_99, sums.known_99),
    )


def as_csv(history: Sequence[PastPrediction]) -> str:
    """Give a line a prediction, with what happened beside it; columns of intervals and outcomes have their prefix."""
    text = io.StringIO()
    lines = [_flat(each) for each in history]
    writer = csv.DictWriter(text, list(_COLUMNS), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


_NESTED = ("interval_95", "interval_99", "outcome")
_COLUMNS = (
    *(name for name in PastPrediction.__struct_fields__ if name not in _NESTED),
    *(f"interval_{level}_{end}" for level in (95, 99) for end in ("low", "high")),
    *(f"outcome_{name}" for name in Happened.__struct_fields__),
)


def _flat(past: PastPrediction) -> dict[str, Any]:
    flat = {name: value for name, value in structs.asdict(past).items() if name not in _NESTED}
    for level in (95, 99):
        bounds: PriceRange | None = getattr(past, f"interval_{level}")
        if bounds is not None:
            flat |= {f"interval_{level}_low": bounds.low, f"interval_{level}_high": bounds.high}
    if past.outcome is not None:
        flat |= {f"outcome_{name}": value for name, value in structs.asdict(past.outcome).items()}
    return flat
