"""In which portions a fetch is handed on."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import TypeVar

Place = TypeVar("Place")
Record = TypeVar("Record")

_PORTIONS_A_FETCH = 8
#: Fewer would cost Faust, for each portion, what the stage needs for its frames.
_LEAST_RECORDS = 16


def portions(fetched: Mapping[Place, Sequence[Record]]) -> Iterator[tuple[Place, Sequence[Record]]]:
    """Cut what a fetch has of each partition, and take turns, so that none waits for all of another's megabyte.

    Args:
        fetched: Records by partition, in order.
    """
    cut = [[(place, portion) for portion in _cut(records)] for place, records in fetched.items()]
    for turn in zip_longest(*cut):
        yield from (one for one in turn if one is not None)


def _cut(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    size = max(_LEAST_RECORDS, -(-len(records) // _PORTIONS_A_FETCH))
    for first in range(0, len(records), size):
        yield records[first : first + size]
