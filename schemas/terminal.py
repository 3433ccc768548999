"""What people read in a terminal."""

from collections.abc import Iterator, Sequence


def safe(text: str) -> str:
    """Give a text with everything escaped that is no printable character."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def table_lines(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Give the lines of a table, its headings first; whatever is in a cell, nothing moves the cursor."""
    cells = [[safe(cell) or "-" for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
