"""A file of bars may have grown since it was played: what of its groups the partitions have.

Every position in a group carries the group's last row as it was then, so that a row that was added to a time that has
been played is known from those that were played: it is rejected, and moves no other's place.
"""

from collections.abc import Collection, Mapping

from ingestor.sources.bar_play import PRICES_PER_BAR
from ingestor.sources.moments import Position

#: Where they stand in the position of a file of bars: (phase, first row, last row, number in the group).
_FIRST_ROW, LAST_ROW, _NUMBER = 1, 2, 3


def begun_groups(places: Collection[Position]) -> Mapping[int, Position]:
    """Give the furthest place in every group of which some partition has ticks, by the group's first row."""
    return {place[_FIRST_ROW]: place for place in sorted(places) if place[_NUMBER] > 0}


def mark_number(bars: int) -> int:
    """Give the number of a group's watermark; the next is that of the mark that ends the file."""
    return PRICES_PER_BAR * bars + 1


def has_ended(place: Position, bars: int) -> bool:
    """Tell whether the file had ended with a group, and the bar of the feature stage that holds it been closed."""
    return place[_NUMBER] > mark_number(bars)


def reported_row(place: Position) -> int:
    """Give the last of the rows that were added to a group and have been reported; 0: there are none."""
    return place[_NUMBER + 1] if len(place) > _NUMBER + 1 else 0


def place_of_added(place: Position, bars: int, row: int) -> Position:
    """Give the position of a row that was added to a group: behind all of the group, whatever is played of it yet."""
    phase, first_row, last_row, number = place[: _NUMBER + 1]
    return (phase, first_row, last_row, max(number, mark_number(bars)), row)
