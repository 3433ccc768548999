"""How much each member counts, beside plain Python."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.scoring_boards import Weights
from predictor.weights import Priors, renormalised, shares_of
from tests.predictor.forecasters import HORIZONS

NAMES = ("forest", "lstm", "xgboost", "naive")
SHARES = st.dictionaries(st.sampled_from([*NAMES, "gone"]), st.sampled_from([0.0, 0.1, 0.5, 2.0]), min_size=1)
PRIORS = st.lists(st.sampled_from([0.0, 0.2, 0.4, 1.0]), min_size=len(NAMES), max_size=len(NAMES))
ANSWERED = st.lists(st.booleans(), min_size=len(NAMES), max_size=len(NAMES))


def normal(shares: dict[str, float]) -> dict[str, float] | None:
    total = sum(shares.values())
    return {name: share / total for name, share in shares.items()} if total else None


BOARDS = st.none() | st.builds(
    lambda shares: Weights("v", tuple(map(normal, shares))),
    st.lists(SHARES, min_size=len(HORIZONS), max_size=len(HORIZONS)),
)


def one_weight(priors: Sequence[float], said: dict[str, float] | None, answered: Sequence[bool], member: int) -> float:
    """Give a member's weight at one row and horizon, by the rules, one after the other."""
    shares = list(priors)
    counting = [place for place in range(len(NAMES)) if priors[place] > 0]
    known = [place for place in counting if said is not None and NAMES[place] in said]
    if said is not None and sum(said[NAMES[place]] for place in known) > 0:
        of_known = sum(priors[place] for place in known) / sum(priors)
        for place in counting:
            if place in known:
                shares[place] = of_known * said[NAMES[place]] / sum(said[NAMES[other]] for other in known)
            else:
                shares[place] = priors[place] / sum(priors)
    for weights in (shares, list(priors)):
        total = sum(weights[place] for place in range(len(NAMES)) if answered[place])
        if total > 0:
            return weights[member] / total if answered[member] else 0.0
    return 0.0


@given(PRIORS, st.lists(st.tuples(BOARDS, ANSWERED), min_size=1, max_size=5))
def test_weights_are_those_of_the_rules_and_add_up_to_one_or_to_nothing(
    priors: list[float], rows: list[tuple[Weights | None, list[bool]]]
) -> None:
    shares = shares_of(Priors(NAMES, tuple(priors)), [board for board, _ in rows], len(HORIZONS))
    answered = np.array([answers for _, answers in rows]).T[:, :, None]
    weights = renormalised(shares, np.array(priors)[:, None, None], answered)
    assert weights.shape == (len(NAMES), len(rows), len(HORIZONS))
    for row, (board, answers) in enumerate(rows):
        for column in range(len(HORIZONS)):
            said = None if board is None else board.by_horizon[column]
            ours = weights[:, row, column]
            expected = [one_weight(priors, dict(said) if said else None, answers, member) for member in range(4)]
            assert ours.tolist() == pytest.approx(expected, abs=1e-12)
            counts = any(prior > 0 and answer for prior, answer in zip(priors, answers, strict=True))
            assert math.fsum(ours) == pytest.approx(1.0 if counts else 0.0, abs=1e-12)
            assert (ours >= 0).all()
            assert not ours[(np.array(priors) == 0) | ~np.array(answers)].any()


def test_a_board_of_another_set_speaks_of_the_members_that_are_here() -> None:
    priors = Priors(("forest", "lstm"), (0.4, 0.6))
    board = Weights("v", ({"forest": 0.2, "lstm": 0.2, "gone": 0.6},) * 3)
    assert shares_of(priors, [board], 3)[:, 0, 0].tolist() == pytest.approx([0.5, 0.5])


def test_a_member_that_the_board_does_not_know_keeps_its_prior_share() -> None:
    priors = Priors(("forest", "lstm", "xgboost"), (0.3, 0.5, 0.2))
    board = Weights("v", ({"forest": 0.5, "lstm": 0.5},) * 3)
    assert shares_of(priors, [board], 3)[:, 0, 0].tolist() == pytest.approx([0.4, 0.4, 0.2])


def test_a_board_gives_no_weight_to_a_member_that_was_not_promoted() -> None:
    priors = Priors(("forest", "lstm", "xgboost"), (0.4, 0.6, 0.0))
    board = Weights("v", ({"forest": 0.1, "lstm": 0.1, "xgboost": 0.8},) * 3)
    assert shares_of(priors, [board], 3)[:, 0, 0].tolist() == pytest.approx([0.5, 0.5, 0.0])


def test_each_row_has_its_own_board_and_each_horizon_its_own_weights() -> None:
    priors = Priors(("forest", "lstm"), (0.4, 0.6))
    one = Weights("one", ({"forest": 1.0, "lstm": 0.0}, None, {"forest": 0.25, "lstm": 0.75}))
    shares = shares_of(priors, [None, one, None, one], 3)
    assert shares[0].tolist() == [[0.4, 0.4, 0.4], [1.0, 0.4, 0.25]] * 2
