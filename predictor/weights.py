"""How much each member counts: its prior share, or what its errors have made of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predictor.models.base import FloatArray
from predictor.scoring_boards import Weights


@dataclass(frozen=True, slots=True)
class Priors:
    """The members of a set, those that could not be loaded too, and their weights before any score had come in."""

    names: tuple[str, ...]
    weights: tuple[float, ...]


def shares_of(priors: Priors, boards: Sequence[Weights | None], horizons: int) -> FloatArray:
    """Give each member's share by row and horizon if all of them answer, (members, n, horizons), up to a factor.

    Args:
        boards: Of each row; None: the prior shares hold.
        horizons: How many.
    """
    different = {id(board): board for board in boards}
    tables = np.stack([_table(priors, board, horizons) for board in different.values()], axis=1)
    if len(different) == 1:
        return np.broadcast_to(tables, (len(priors.names), len(boards), horizons))
    places = {key: place for place, key in enumerate(different)}
    return tables[:, [places[id(board)] for board in boards], :]


def _table(priors: Priors, board: Weights | None, horizons: int) -> FloatArray:
    """Give shares, (members, horizons).

    A member without prior weight has none, whatever a board says. The board may be that of another set: members that
    are not in this one are left out. One that the board does not know keeps its prior share; the rest divide what is
    left as the board says.
    """
    weights = np.array(priors.weights)
    table = np.repeat(weights[:, None], horizons, axis=1)
    if board is None or not weights.any():
        return table
    prior = weights / weights.sum()
    for column, shares in enumerate(board.by_horizon):
        if shares is None:
            continue
        known = (weights > 0) & np.array([name in shares for name in priors.names])
        said = np.where(known, [shares.get(name, 0.0) for name in priors.names], 0.0)
        if said.sum() > 0:
            table[:, column] = np.where(known, said / said.sum() * prior[known].sum(), prior)
    return table


def renormalised(shares: FloatArray, priors: FloatArray, answered: NDArray[np.bool_]) -> FloatArray:
    """Share out the weights of members that did not answer; all (members, n, horizons), or to be broadcast to it.

    Where all that answered have a share of 0, their priors count.

    Returns:
        For each row and horizon numbers that add up to 1, or all 0 where no member with a prior weight answered.
    """
    return _normalised(shares * answered, otherwise=_normalised(priors * answered, otherwise=np.zeros(())))


def _normalised(weights: FloatArray, otherwise: FloatArray) -> FloatArray:
    total = weights.sum(axis=0)
    found: FloatArray = np.where(total > 0, weights / np.where(total > 0, total, 1.0), otherwise)
    return found
