"""Messages into rows. Pure, but for the messages' own type."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from confluent_kafka import Message
from sqlalchemy import Table

from gateway.recorder.rows import RECORDED, Row, Rows
from schemas.codec import UndecodableError
from schemas.dead_letters import DeadLetter

_HOW: Mapping[str, tuple[Table, Rows]] = {topic.name: (table, rows) for topic, table, rows in RECORDED}


@dataclass(frozen=True)
class Recorded:
    """What a record comes to; the message is kept for the case that the database does not take its rows."""

    message: Message
    topic: str
    table: Table
    rows: list[Row]

    def letter(self, reason: str) -> DeadLetter:
        """Give the dead letter of the record."""
        return letter_of(self.message, self.topic, reason)


def letter_of(message: Message, topic: str, reason: str) -> DeadLetter:
    """Give the dead letter of a message."""
    return DeadLetter(
        value=message.value() or b"",
        reason=reason,
        origin=topic,
        key=message.key(),
        partition=message.partition(),
        offset=message.offset(),
    )


def gather(
    messages: Iterable[Message], topics: Mapping[str, str], now_ns: int
) -> tuple[list[Recorded], list[DeadLetter]]:
    """Give what is to be written, and what cannot be understood.

    Args:
        messages: In their order.
        topics: Names without prefix, by whole name.
        now_ns: Wall time.
    """
    recorded, letters = [], []
    for message in messages:
        topic = topics[message.topic()]
        table, rows_of = _HOW[topic]
        try:
            rows = rows_of(message.value(), now_ns)
        except UndecodableError as error:
            letters.append(letter_of(message, topic, str(error)))
            continue
        if rows:
            recorded.append(Recorded(message, topic, table, rows))
    return recorded, letters


def by_table(recorded: Iterable[Recorded]) -> dict[Table, list[Row]]:
    """Give all rows of each table."""
    rows: dict[Table, list[Row]] = {}
    for each in recorded:
        rows.setdefault(each.table, []).extend(each.rows)
    return rows
