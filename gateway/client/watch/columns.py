"""Which columns there is room for, and how wide each is. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from gateway.client.watch.rows import Row
from gateway.client.watch.words import spark
from schemas.events import Direction

#: Between two columns.
GAP = 2
_REMARKS_LEAST, _SPARK_LEAST, _SPARK_MOST = 8, 8, 24
_DIRECTION_STYLES = {Direction.BULLISH: "green", Direction.BEARISH: "red", Direction.NEUTRAL: ""}


@dataclass(frozen=True)
class Column:
    """One of the table.

    Attributes:
        text: Of a row, in a width.
        rank: Who has a lower one gets room first.
        least: In which it is of use; None: it needs room for all its texts.
        most: It gets no more.
    """

    title: str
    text: Callable[[Row, int], str]
    rank: int
    justify: Literal["left", "right"] = "left"
    style: Callable[[Row], str] = lambda _: ""
    least: int | None = None
    most: int = 1_000


def _change_style(row: Row) -> str:
    return "" if row.rises is None else "green" if row.rises else "red"


#: As they stand, from left to right.
COLUMNS = (
    Column("Ticker", lambda row, _: row.ticker, 0, style=lambda _: "bold"),
    Column("Price", lambda row, _: row.price, 1, "right", lambda row: "reverse" if row.moved else ""),
    Column("Change", lambda row, _: row.change, 5, "right", _change_style),
    Column("Closes", lambda row, width: spark(row.closes, width), 8, least=_SPARK_LEAST, most=_SPARK_MOST),
    Column("Target", lambda row, _: row.target, 3, "right"),
    Column("Expected", lambda row, _: row.expected, 9, "right"),
    Column("Direction", lambda row, _: row.direction_words, 2, style=lambda row: _DIRECTION_STYLES[row.direction]),
    Column("Conf.", lambda row, _: row.confidence, 4, "right"),
    Column("Age", lambda row, _: row.age, 6, "right"),
    Column("Remarks", lambda row, _: row.remarks, 7, style=lambda _: "yellow", least=_REMARKS_LEAST),
)


def fitting(rows: Sequence[Row], width: int) -> list[tuple[Column, int]]:
    """Give the columns that fit side by side, with their widths; the first by rank is always there."""
    left = width
    widths: dict[Column, int] = {}
    for column in sorted(COLUMNS, key=lambda one: one.rank):
        least = _least(column, rows)
        if not widths or left >= least + GAP:
            left -= least + GAP * bool(widths)
            widths[column] = least
    for column in reversed(COLUMNS):  # remarks before the small line
        if column in widths and column.least is not None and left > 0:
            more = min(left, max(0, min(column.most, _wanted(column, rows)) - widths[column]))
            widths[column] += more
            left -= more
    return [(column, widths[column]) for column in COLUMNS if column in widths]


def _least(column: Column, rows: Sequence[Row]) -> int:
    return _wanted(column, rows) if column.least is None else column.least


def _wanted(column: Column, rows: Sequence[Row]) -> int:
    return max(len(column.title), *(len(column.text(row, column.most)) for row in rows), 0)
