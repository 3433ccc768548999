"""What is asked of the recorded history. Each function is one query, newest rows first; callers bound their number."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, RowMapping, Select, func, select

from gateway.database.history import BARS, FEATURES, OUTCOMES, PREDICTIONS

Rows = Sequence[RowMapping]

_OF_OUTCOME = (
    *(OUTCOMES.c.matured_ns, OUTCOMES.c.actual_log_return, OUTCOMES.c.usual_direction, OUTCOMES.c.hit),
    *(OUTCOMES.c.inside_95, OUTCOMES.c.inside_99, OUTCOMES.c.scored, OUTCOMES.c.unscored_reason),
)


class Series(NamedTuple):
    """Whose rows."""

    ticker: str
    interval: str


class Span(NamedTuple):
    """`[start, end)`; None: open on that side."""

    start_ns: int | None
    end_ns: int | None


def past_predictions(connection: Connection, series: Series, horizon: int, span_ns: int, limit: int) -> Rows:
    """Give predictions, each with the outcome's columns beside it; those are null where it has not matured.

    Args:
        span_ns: Back from the ticker's newest prediction.
    """
    ours = (PREDICTIONS.c.ticker == series.ticker) & (PREDICTIONS.c.interval == series.interval)
    newest_ns = connection.scalar(select(func.max(PREDICTIONS.c.as_of_ns)).where(ours))
    if newest_ns is None:
        return []
    same = (
        (OUTCOMES.c.ticker == PREDICTIONS.c.ticker)
        & (OUTCOMES.c.interval == PREDICTIONS.c.interval)
        & (OUTCOMES.c.as_of_ns == PREDICTIONS.c.as_of_ns)
        & (OUTCOMES.c.horizon == PREDICTIONS.c.horizon)
        & OUTCOMES.c.request_id.is_(None)
    )
    query = (
        select(*PREDICTIONS.columns, *_OF_OUTCOME)
        .select_from(PREDICTIONS.outerjoin(OUTCOMES, same))
        .where(ours, PREDICTIONS.c.horizon == horizon)
        .where(PREDICTIONS.c.as_of_ns > newest_ns - span_ns)
    )
    return _newest(connection, query, PREDICTIONS.c.as_of_ns, limit)


def bars(connection: Connection, series: Series, span: Span, limit: int) -> Rows:
    """Give closed bars that start within a span."""
    return _within(connection, BARS.c.start_ns, series, span, limit)


def features(connection: Connection, series: Series, span: Span, limit: int) -> Rows:
    """Give the indicators of closed bars that end within a span."""
    return _within(connection, FEATURES.c.as_of_ns, series, span, limit)


def _within(connection: Connection, time: Column[int], series: Series, span: Span, limit: int) -> Rows:
    table = time.table
    query = select(table).where(table.c.ticker == series.ticker, table.c.interval == series.interval)
    if span.start_ns is not None:
        query = query.where(time >= span.start_ns)
    if span.end_ns is not None:
        query = query.where(time < span.end_ns)
    return _newest(connection, query, time, limit)


def _newest(connection: Connection, query: Select[Any], time: Column[int], limit: int) -> Rows:
    return connection.execute(query.order_by(time.desc()).limit(limit)).mappings().all()
