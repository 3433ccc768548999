"""What is asked of predictions, bars and indicators. Rows come newest first; callers bound their number."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, RowMapping, Select, select

from gateway.database.history import BARS, FEATURES, OUTCOMES, PREDICTIONS

Rows = Sequence[RowMapping]

_OF_OUTCOME = (
    *(OUTCOMES.c.matured_ns, OUTCOMES.c.actual_log_return, OUTCOMES.c.hit, OUTCOMES.c.inside_95),
    *(OUTCOMES.c.inside_99, OUTCOMES.c.scored, OUTCOMES.c.unscored_reason),
)
#: When the events of each table happened, and by which of its columns an index finds the newest.
_HAPPENED = (
    (PREDICTIONS.c.as_of_ns, PREDICTIONS.c.as_of_ns),
    (OUTCOMES.c.matured_ns, OUTCOMES.c.matured_ns),
    (BARS.c.end_ns, BARS.c.start_ns),
    (FEATURES.c.as_of_ns, FEATURES.c.as_of_ns),
)


class Series(NamedTuple):
    """Whose rows."""

    ticker: str
    interval: str


class Span(NamedTuple):
    """`[start, end)`; None: open on that side."""

    start_ns: int | None
    end_ns: int | None


def newest_event_ns(connection: Connection, series: Series) -> int | None:
    """Give the time of the newest event that is recorded, of whatever kind; None where there is none."""
    newest = [
        select(time).where(_of(time, series)).order_by(order.desc()).limit(1).scalar_subquery()
        for time, order in _HAPPENED
    ]
    times = connection.execute(select(*newest)).one()
    return max((time_ns for time_ns in times if time_ns is not None), default=None)


def past_predictions(connection: Connection, series: Series, horizon: int, after_ns: int, limit: int) -> Rows:
    """Give predictions as of later times, each with the outcome's columns beside it; null where it has not matured."""
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
        .where(_of(PREDICTIONS.c.as_of_ns, series), PREDICTIONS.c.horizon == horizon)
        .where(PREDICTIONS.c.as_of_ns > after_ns)
    )
    return _newest(connection, query, PREDICTIONS.c.as_of_ns, limit)


def bars(connection: Connection, series: Series, span: Span, limit: int) -> Rows:
    """Give closed bars that start within a span."""
    return _within(connection, BARS.c.start_ns, series, span, limit)


def features(connection: Connection, series: Series, span: Span, limit: int) -> Rows:
    """Give the indicators of closed bars that end within a span."""
    return _within(connection, FEATURES.c.as_of_ns, series, span, limit)


def _of(column: Column[int], series: Series) -> Any:
    table = column.table
    return (table.c.ticker == series.ticker) & (table.c.interval == series.interval)


def _within(connection: Connection, time: Column[int], series: Series, span: Span, limit: int) -> Rows:
    query = select(time.table).where(_of(time, series))
    if span.start_ns is not None:
        query = query.where(time >= span.start_ns)
    if span.end_ns is not None:
        query = query.where(time < span.end_ns)
    return _newest(connection, query, time, limit)


def _newest(connection: Connection, query: Select[Any], time: Column[int], limit: int) -> Rows:
    return connection.execute(query.order_by(time.desc()).limit(limit)).mappings().all()
