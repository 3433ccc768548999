"""From arrays, (n, horizons), to plain lists: row after row, as events take them."""

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from predictor.models.base import FloatArray

Item = TypeVar("Item")


def or_none(numbers: FloatArray) -> list[float | None]:
    """Give numbers in order, None for those that are not finite."""
    found = numbers.ravel().tolist()
    if np.isfinite(numbers).all():
        return list[float | None](found)
    return [number if math.isfinite(number) else None for number in found]


def by_row(items: Sequence[Item], width: int) -> list[list[Item]]:
    """Cut what stands row after row into rows."""
    return [list(items[start : start + width]) for start in range(0, len(items), width)]
