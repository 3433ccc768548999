"""Letters as people read them in a terminal: whatever is in them, nothing moves the cursor."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from ingestor.dead_letters.letter import Letter
from schemas.times import to_rfc3339

_HEADINGS = ("ID", "WHEN", "REASON", "ORIGIN", "TICKERS", "VALUE")
#: The id is never cut: it is what `show` and `replay` take.
_WIDTHS = (None, None, 40, 24, 20, 60)
_TICKERS_LISTED = 100


@dataclass(frozen=True)
class Row:
    """A letter in short."""

    id: str
    when: str
    reason: str
    origin: str
    tickers: list[str]
    value: str
    kind: str


def safe(text: str) -> str:
    """Give a text with everything escaped that is no printable character."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def safe_bytes(value: bytes) -> str:
    """Give bytes as text, with what is none escaped."""
    return safe(value.decode("utf-8", "backslashreplace"))


def cut(text: str, width: int | None) -> str:
    """Give the beginning of a text that is too long."""
    return text if width is None or len(text) <= width else text[: width - 1] + "…"


def row_of(letter: Letter) -> Row:
    """Give a letter in short."""
    tickers = [safe(ticker[:32]) for ticker in letter.tickers[:_TICKERS_LISTED]]
    return Row(
        id=safe(letter.id),
        when=to_rfc3339(letter.at_ns),
        reason=safe(letter.reason[:1_000]),
        origin=safe(letter.origin),
        tickers=tickers,
        value=short_value(letter),
        kind=safe(letter.kind),
    )


def short_value(letter: Letter) -> str:
    """Say in a few words what is in a letter."""
    columns = [letter.document.get(name) for name in ("times_ns", "prices", "sizes")]
    lists = [column for column in columns if isinstance(column, list)]
    if len(lists) == 3 and all(len(column) == 1 for column in lists):
        time_ns, price, size = (column[0] for column in lists)
        return cut(safe(f"price {price}, size {size}, {_time(time_ns)}"), 200)
    if len(lists) == 3:
        return f"{len(lists[0])} ticks"
    return cut(safe_bytes(letter.value[:200]), 200)


def _time(time_ns: object) -> str:
    try:
        return to_rfc3339(time_ns) if isinstance(time_ns, int) else f"time {time_ns}"
    except (OverflowError, ValueError, OSError):
        return f"time {time_ns}"


def table(rows: Sequence[Row]) -> Iterable[str]:
    """Give the lines of a table."""
    cells = [(row.id, row.when, row.reason, row.origin, ",".join(row.tickers) or "-", row.value) for row in rows]
    lines = [_HEADINGS, *(tuple(map(cut, line, _WIDTHS)) for line in cells)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(_HEADINGS))]
    for line in lines:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def totals_line(totals: Counter[str], shown: int) -> str:
    """Say how many letters there are of each kind."""
    count = sum(totals.values())
    kinds = ", ".join(f"{number} {kind or 'without a reason'}" for kind, number in totals.most_common())
    newest = f"; the newest {shown} are shown, --limit shows more" if shown < count else ""
    return f"{count} dead letters: {kinds}{newest}" if count else "no dead letters"


def rows_json(rows: Sequence[Row], totals: Counter[str]) -> str:
    """Give the same for machines."""
    return json.dumps({"letters": [asdict(row) for row in rows], "totals": dict(totals), "count": sum(totals.values())})


def pretty_value(letter: Letter) -> str:
    """Give a letter's value as JSON over several lines, or escaped where it is none."""
    try:
        return json.dumps(json.loads(letter.value), indent=2)  # ASCII only: everything else comes escaped
    except (ValueError, RecursionError):
        return safe_bytes(letter.value)
