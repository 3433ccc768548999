"""What each key asked for and was sent, by month (UTC)."""

from collections.abc import Mapping

from sqlalchemy import BigInteger, Column, Connection, Engine, String, Table, func, select

from gateway.database.accounts import API_KEYS, USERS
from gateway.database.engine import insert_into
from gateway.database.metadata import metadata
from gateway.database.queries import Rows
from gateway.usage import Counts, MonthOfKey

USAGE = Table(
    "usage",
    metadata,
    Column("key_id", String(64), primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
    Column("messages", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
)
_SUMMED = ("requests", "errors", "messages", "bytes")


def add_usage(engine: Engine, counted: Mapping[MonthOfKey, Counts]) -> None:
    """Add counts to those that are there, all or none; several gateways may do so at once.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: The database does not answer.
    """
    rows = [
        {"key_id": of.key_id, "month": of.month} | {name: getattr(counts, name) for name in _SUMMED}
        for of, counts in counted.items()
    ]
    rows.sort(key=lambda row: (row["key_id"], row["month"]))  # all lock in one order, and so never each other
    with engine.begin() as connection:
        insert = insert_into(connection, USAGE)
        sums = {name: USAGE.c[name] + insert.excluded[name] for name in _SUMMED}
        connection.execute(insert.on_conflict_do_update(index_elements=["key_id", "month"], set_=sums), rows)


def usage_of(connection: Connection, key_id: str | None, month: str | None, limit: int) -> Rows:
    """Give the counts of a key or user, or of all, with their names; newest months first."""
    of_keys = USAGE.outerjoin(API_KEYS, API_KEYS.c.id == USAGE.c.key_id)
    of_all = of_keys.outerjoin(USERS, USERS.c.id == USAGE.c.key_id)
    wanted = select(USAGE, func.coalesce(API_KEYS.c.name, USERS.c.name).label("name")).select_from(of_all)
    if key_id is not None:
        wanted = wanted.where(USAGE.c.key_id == key_id)
    if month is not None:
        wanted = wanted.where(USAGE.c.month == month)
    ordered = wanted.order_by(USAGE.c.month.desc(), USAGE.c.key_id).limit(limit)
    return connection.execute(ordered).mappings().all()
