"""The table and what stands around it, for rich. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from gateway.client.watch.board import Board, Link
from gateway.client.watch.columns import GAP, fitting
from gateway.client.watch.rows import Row, Wish, chosen, row_of

_TROUBLES = 3
_FOOT = "q ends · not investment advice"
#: The head's two lines, the names of the columns, the foot.
_AROUND = 4


@dataclass(frozen=True)
class Sight:
    """What is seen at a moment.

    Attributes:
        height: In lines; None: as high as it has to be, and no foot, since nothing goes on.
        troubles: What is degraded.
        moved: Tickers whose price has just changed.
    """

    now_ns: int
    width: int
    height: int | None = None
    troubles: Sequence[str] = ()
    moved: Collection[str] = ()


def shown_tickers(board: Board, wish: Wish, sight: Sight) -> list[str]:
    """Give the tickers that have a row."""
    return [prediction.ticker for prediction in chosen(board, wish, _room(board, sight))]


def view(board: Board, wish: Wish, sight: Sight) -> RenderableType:
    """Give everything that is shown."""
    predictions = chosen(board, wish, _room(board, sight))
    rows = [row_of(board, one, wish, sight.now_ns, moved=one.ticker in sight.moved) for one in predictions]
    lines = _head(board, sight, len(rows))
    foot = [] if sight.height is None else [_line(_FOOT, "dim")]
    return Group(*lines, _table(rows, sight.width), *foot)


def _room(board: Board, sight: Sight) -> int | None:
    if sight.height is None:
        return None
    return max(1, sight.height - _AROUND - len(_warnings(board, sight)))


def _head(board: Board, sight: Sight, shown: int) -> list[Text]:
    title = _line("Tickcast  ", "bold")
    title.append(board.link_words(sight.now_ns))
    count = f"{len(board.latest)} tickers" if shown == len(board.latest) else f"{shown} of {len(board.latest)} tickers"
    return [title, _line(f"{count} · {board.age_words(sight.now_ns)}"), *_warnings(board, sight)]


def _warnings(board: Board, sight: Sight) -> list[Text]:
    said = [board.reason] if board.link is Link.LOST and board.reason else []
    degraded = [f"Degraded: {trouble}" for trouble in sight.troubles]
    return [_line(text, "bold yellow") for text in [*said, *degraded][:_TROUBLES]]


def _table(rows: Sequence[Row], width: int) -> Table:
    columns = fitting(rows, width)
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False)
    for column, wide in columns:
        table.add_column(column.title, justify=column.justify, width=wide, no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*(Text(column.text(row, wide), column.style(row)) for column, wide in columns))
    return table


def _line(text: str, style: str = "") -> Text:
    return Text(text, style, no_wrap=True, overflow="ellipsis")
