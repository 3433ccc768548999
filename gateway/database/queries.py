"""What is asked of the recorded history. Each function is one query, newest rows first; callers bound their number."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Table, func, select

from gateway.database.history import BARS, FEATURES, OUTCOMES, PREDICTIONS

Rows = Sequence[RowMapping]

_OF_OUTCOME = (
    *(OUTCOMES.c.matured_ns, OUTCOMES.c.actual_log_return, OUTCOMES.c.usual_direction, OUTCOMES.c.hit),
    *(OUTCOMES.c.inside_95, OUTCOMES.c.inside_99, OUTCOMES.c.scored, OUTCOMES.c.unscored_reason),
)


def past_predictions(connection: Connection, ticker: str, horizon: int, span_ns: int, limit: int) -> Rows:
    """Give predictions, each with the outcome's columns beside it; those are null where it has not matured.

    Args:
        span_ns: Back from the ticker's newest prediction.
    """
    newest_ns = connection.scalar(select(func.max(PREDICTIONS.c.as_of_ns)).where(PREDICTIONS.c.ticker == ticker))
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
        .where(PREDICTIONS.c.ticker == ticker, PREDICTIONS.c.horizon == horizon)
        .where(PREDICTIONS.c.as_of_ns > newest_ns - span_ns)
    )
    return _newest(connection, query, PREDICTIONS.c.as_of_ns, limit)


def bars(connection: Connection, ticker: str, start_ns: int | None, end_ns: int | None, limit: int) -> Rows:
    """Give closed bars that start in `[start, end)`, of either side open where it is None."""
    return _between(connection, BARS, "start_ns", ticker, (start_ns, end_ns), limit)


def features(connection: Connection, ticker: str, start_ns: int | None, end_ns: int | None, limit: int) -> Rows:
    """Give the indicators of closed bars that end in `[start, end)`, likewise."""
    return _between(connection, FEATURES, "as_of_ns", ticker, (start_ns, end_ns), limit)


def _between(
    connection: Connection, table: Table, time: str, ticker: str, span: tuple[int | None, int | None], limit: int
) -> Rows:
    start_ns, end_ns = span
    query = select(table).where(table.c.ticker == ticker)
    if start_ns is not None:
        query = query.where(table.c[time] >= start_ns)
    if end_ns is not None:
        query = query.where(table.c[time] < end_ns)
    return _newest(connection, query, table.c[time], limit)


def _newest(connection: Connection, query: Select[Any], time: Any, limit: int) -> Rows:
    return connection.execute(query.order_by(time.desc()).limit(limit)).mappings().all()
