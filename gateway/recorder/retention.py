"""What is old goes, a slice at a time: nobody waits long for a lock, and a kill loses nothing."""

from sqlalchemy import Engine, Table, delete, select

from gateway.database.engine import begin_writing
from gateway.database.history import FEATURES, PREDICTIONS
from schemas.times import NS_PER_SECOND

#: Outcomes and bars stay for ever.
BOUNDED = (PREDICTIONS, FEATURES)
_DAY_NS = 86_400 * NS_PER_SECOND
_SLICE_ROWS = 5_000


def delete_old(engine: Engine, days: int, now_ns: int, slice_rows: int = _SLICE_ROWS) -> int:
    """Delete a slice of each table of what was written more than so many days ago; 0 days: nothing.

    Returns:
        Rows deleted; 0: none is left.
    """
    if days == 0:
        return 0
    return sum(_delete_slice(engine, table, now_ns - days * _DAY_NS, slice_rows) for table in BOUNDED)


def _delete_slice(engine: Engine, table: Table, before_ns: int, rows: int) -> int:
    written = table.c.recorded_ns
    with begin_writing(engine) as connection:  # it reads first, and gateways write too
        oldest = select(written).where(written < before_ns).order_by(written)
        newest = connection.scalar(oldest.offset(rows - 1).limit(1))
        last_ns = before_ns - 1 if newest is None else newest  # rows of one batch were written at the same time
        return connection.execute(delete(table).where(written <= last_ns)).rowcount
