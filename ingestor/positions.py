"""Positions as text on frames: what decides the content, then the place."""

from collections.abc import Mapping

from ingestor.sources.moments import Position
from schemas.errors import StopAndSayError

_SEPARATOR = "@"


class PositionText:
    """Writes and reads the positions of one source, like `kind=replay;start=2010-01-04;loop=no@0.12.3`.

    Args:
        content: The options that decide the content, by name; names and values without `;`, `=` and `@`.
    """

    def __init__(self, content: Mapping[str, str]) -> None:
        self._content = dict(content)
        self._prefix = ";".join(f"{name}={value}" for name, value in content.items()) + _SEPARATOR

    def write(self, position: Position) -> str:
        """Give the text of a position."""
        return self._prefix + ".".join(map(str, position))

    def read(self, text: str) -> Position:
        """Read a position of kept data.

        Raises:
            StopAndSayError: The data was made with other options; the line names them and --fresh.
        """
        kept_content, _, place = text.rpartition(_SEPARATOR)
        try:
            position = tuple(int(number) for number in place.split("."))
            kept = dict(pair.split("=", 1) for pair in kept_content.split(";"))
        except ValueError as error:
            raise StopAndSayError(
                f"the kept data has a position {text[:80]!r} that is not one of ours: start with --fresh"
            ) from error
        self._require_same(kept)
        return position

    def _require_same(self, kept: Mapping[str, str]) -> None:
        now = self._content
        differing = [name for name in {**kept, **now} if kept.get(name) != now.get(name)]
        if differing:
            named = ", ".join(f"{name} {kept.get(name, 'unset')}, not {now.get(name, 'unset')}" for name in differing)
            raise StopAndSayError(
                f"the kept data was played with {named}: use the same options to resume, or --fresh to start over"
            )
