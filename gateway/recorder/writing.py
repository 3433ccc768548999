"""One transaction a batch: rows, and where the records end that they come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, Table, delete, select

from gateway.database.engine import insert_into
from gateway.database.history import BARS, FEATURES, OFFSETS, OUTCOMES, PREDICTIONS
from gateway.recorder.rows import Row


@dataclass(frozen=True, order=True)
class Place:
    """A partition of a topic, by its whole name."""

    topic: str
    partition: int


@dataclass(frozen=True)
class Position:
    """Where reading goes on, in one incarnation of the topic."""

    epoch: str
    next_offset: int


@dataclass
class Batch:
    """What came of so many records.

    Attributes:
        rows: By table.
        positions: After the last record of each partition.
    """

    rows: dict[Table, list[Row]] = field(default_factory=dict)
    positions: dict[Place, Position] = field(default_factory=dict)


def read_positions(engine: Engine) -> dict[Place, Position]:
    """Give where each partition was left."""
    with engine.connect() as connection:
        return {
            Place(row.topic, row.partition): Position(row.epoch, row.next_offset)
            for row in connection.execute(select(OFFSETS))
        }


def forget_all(engine: Engine) -> None:
    """Delete everything that was recorded, and up to where."""
    with engine.begin() as connection:
        for table in (PREDICTIONS, OUTCOMES, BARS, FEATURES, OFFSETS):
            connection.execute(delete(table))


def write(engine: Engine, batch: Batch) -> None:
    """Write a batch, whole or not at all; what is there already stays as it is.

    Raises:
        sqlalchemy.exc.DBAPIError: The database does not answer; nothing was written.
    """
    with engine.begin() as connection:
        for table, rows in batch.rows.items():
            if rows:
                connection.execute(insert_into(connection, table).on_conflict_do_nothing(), rows)
        _set_positions(connection, batch.positions)


def _set_positions(connection: Connection, positions: Mapping[Place, Position]) -> None:
    if not positions:
        return
    rows = [
        {"topic": place.topic, "partition": place.partition, "epoch": at.epoch, "next_offset": at.next_offset}
        for place, at in sorted(positions.items())
    ]
    insert = insert_into(connection, OFFSETS)
    new = {"epoch": insert.excluded.epoch, "next_offset": insert.excluded.next_offset}
    connection.execute(insert.on_conflict_do_update(index_elements=["topic", "partition"], set_=new), rows)
