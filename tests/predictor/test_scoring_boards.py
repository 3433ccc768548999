"""Which scoreboard a prediction may use, and which boards are no use."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictor.board_checks import LONGEST_VERSION
from predictor.scoring_boards import HOLD_OUT, KEPT, PRIOR, ScoringBoards
from schemas.events import Scoreboard
from tests.predictor.boards import board, boards, horizon_score, weights_board, widths_board
from tests.predictor.forecasters import HORIZONS

EVEN = {"forest": 0.5, "lstm": 0.5}


def weights_version(its: ScoringBoards, as_of_ns: int) -> str | None:
    weights = its.weights(as_of_ns)
    return None if weights is None else weights.version


def widths_version(its: ScoringBoards, ticker: str, as_of_ns: int) -> str | None:
    widths = its.widths(ticker, as_of_ns)
    return None if widths is None else widths.version


def test_before_any_board_nothing_is_known() -> None:
    assert boards().weights(10) is None
    assert boards().widths("AAPL", 10) is None


def test_a_board_is_used_from_the_moment_through_which_it_knows_and_not_before() -> None:
    its = boards(weights_board(5, EVEN), widths_board("AAPL", 5, (2.0, 2.0)))
    assert [weights_version(its, time) for time in (4, 5, 6)] == [None, "weights-5", "weights-5"]
    assert [widths_version(its, "AAPL", time) for time in (4, 5, 6)] == [None, "AAPL-5", "AAPL-5"]


@given(st.lists(st.integers(0, 300), min_size=1, max_size=200), st.integers(-1, 301))
def test_the_newest_of_the_last_boards_that_knows_nothing_later_is_used(throughs: list[int], as_of_ns: int) -> None:
    its = boards(
        *(weights_board(through, EVEN) for through in throughs),
        *(widths_board("AAPL", through, (2.0, 2.0)) for through in throughs),
    )
    last_came = {through: number for number, through in enumerate(throughs)}
    kept = sorted(last_came, key=last_came.__getitem__)[-KEPT:]
    newest = max((through for through in kept if through <= as_of_ns), default=None)
    assert weights_version(its, as_of_ns) == (None if newest is None else f"weights-{newest}")
    assert widths_version(its, "AAPL", as_of_ns) == (None if newest is None else f"AAPL-{newest}")


def test_a_fixed_number_of_boards_is_kept_of_each_ticker() -> None:
    its = boards(*(weights_board(through, EVEN) for through in range(KEPT + 3)))
    assert [weights_version(its, time) for time in (0, 2, 3, 4)] == [None, None, "weights-3", "weights-4"]
    assert weights_version(its, 10**18) == f"weights-{KEPT + 2}"


def test_a_log_that_begins_again_with_the_past_is_followed() -> None:
    first = [weights_board(through, EVEN) for through in range(1_000, 1_000 + KEPT)]
    its = boards(*first, *(weights_board(through, EVEN) for through in range(10)))
    assert weights_version(its, 9) == "weights-9"


def test_a_board_that_comes_again_takes_its_own_place() -> None:
    its = boards(
        *(weights_board(through, EVEN) for through in range(KEPT)), weights_board(0, EVEN, weights_version="again")
    )
    assert weights_version(its, 0) == "again"
    assert weights_version(its, KEPT) == f"weights-{KEPT - 1}"
    assert its.add(weights_board(KEPT, EVEN)) is None
    assert weights_version(its, 1) == "again", "of the others the one through 1 came first, and went"


def test_tickers_have_boards_of_their_own() -> None:
    its = boards(widths_board("AAPL", 1, (2.0, 3.0)), widths_board("IBM", 1, (0.5, 0.6)))
    found = {ticker: its.widths(ticker, 1) for ticker in ("AAPL", "IBM", "GOOG")}
    assert found["GOOG"] is None
    assert found["AAPL"] is not None
    assert found["AAPL"].multiples == (2.0, 2.0, 2.0, 3.0, 3.0, 3.0)


def test_weights_come_from_the_board_of_all_and_widths_from_a_tickers_own() -> None:
    score = horizon_score(1, weights=EVEN, width_95=2.0, width_99=2.0)
    its = boards(board("*", 1, [score]), board("AAPL", 1, [score]))
    weights, widths = its.weights(1), its.widths("AAPL", 1)
    assert weights is not None
    assert weights.by_horizon == (EVEN, None, None)
    assert widths is not None
    assert widths.multiples == (2.0, 1.0, 1.0, 2.0, 1.0, 1.0)
    assert its.widths("*", 1) is None


def test_what_a_board_does_not_say_is_left_as_it_was() -> None:
    its = boards(weights_board(1, EVEN, {}, EVEN), widths_board("AAPL", 1, (None, 2.0), (None, None), (3.0, None)))
    weights, widths = its.weights(1), its.widths("AAPL", 1)
    assert weights is not None
    assert weights.by_horizon == (EVEN, None, EVEN)
    assert widths is not None
    assert widths.multiples == (1.0, 1.0, 3.0, 2.0, 1.0, 1.0)


@pytest.mark.parametrize("empty", [weights_board(2, {}), weights_board(2, EVEN, weights_version=PRIOR)])
def test_a_newer_board_without_weights_of_its_own_brings_the_prior_ones_back(empty: Scoreboard) -> None:
    its = boards(weights_board(1, EVEN), empty)
    assert [weights_version(its, time) for time in (1, 2)] == ["weights-1", None]


@pytest.mark.parametrize(
    "empty", [widths_board("AAPL", 2, (None, None)), widths_board("AAPL", 2, (2.0, 2.0), intervals_version=HOLD_OUT)]
)
def test_a_newer_board_without_widths_of_its_own_brings_the_hold_outs_back(empty: Scoreboard) -> None:
    its = boards(widths_board("AAPL", 1, (2.0, 2.0)), empty)
    assert [widths_version(its, "AAPL", time) for time in (1, 2)] == ["AAPL-1", None]


def test_horizons_that_are_not_ours_are_passed_over() -> None:
    its = boards(board("*", 1, [horizon_score(7, weights=EVEN)]), board("AAPL", 1, [horizon_score(7, width_95=2.0)]))
    assert its.weights(1) is None
    assert its.widths("AAPL", 1) is None


BAD_WEIGHTS: list[dict[str, float]] = [
    {"forest": math.nan, "lstm": 1.0},
    {"forest": -0.5, "lstm": 1.5},
    {"forest": math.inf, "lstm": 1.0},
    {"forest": 0.4, "lstm": 0.4},
    {"forest": 0.6, "lstm": 0.6},
    {"forest": 0.0, "lstm": 0.0},
]


@pytest.mark.parametrize("weights", BAD_WEIGHTS, ids=str)
def test_weights_that_are_no_shares_are_refused_with_the_whole_board(weights: dict[str, float]) -> None:
    its = boards(weights_board(1, EVEN))
    problem = its.add(weights_board(2, EVEN, weights, EVEN))
    assert problem is not None
    assert "weights of horizon 5" in problem
    assert "\n" not in problem
    assert weights_version(its, 2) == "weights-1"


@pytest.mark.parametrize("width", [math.nan, math.inf, -math.inf, 0.0, -1.0, 1e300])
@pytest.mark.parametrize("place", [0, 1])
def test_widths_that_are_no_multiples_are_refused_with_the_whole_board(width: float, place: int) -> None:
    its = boards(widths_board("AAPL", 1, (2.0, 2.0)))
    pair = (width, 2.0) if place == 0 else (2.0, width)
    problem = its.add(widths_board("AAPL", 2, (2.0, 2.0), pair, (2.0, 2.0)))
    assert problem is not None
    assert "of horizon 5 is not a multiple above 0" in problem
    assert widths_version(its, "AAPL", 2) == "AAPL-1"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"interval": "1m"}, "interval is 1m, not 1d"),
        ({"ticker": "not a symbol"}, "ticker"),
        ({"ticker": ""}, "ticker"),
        ({"through_ns": 2**62}, "through_ns"),
        ({"weights_version": ""}, "weights_version"),
        ({"weights_version": "x" * (LONGEST_VERSION + 1)}, "weights_version"),
        ({"intervals_version": "x" * 1_000_000}, "intervals_version"),
        ({"horizons": [horizon_score(1), horizon_score(1)]}, "horizons"),
    ],
)
def test_a_board_that_cannot_be_is_refused_and_says_why(changes: dict[str, Any], named: str) -> None:
    for ticker in ("*", "AAPL"):
        problem = ScoringBoards("1d", HORIZONS).add(board(**({"ticker": ticker, "through_ns": 1} | changes)))
        assert problem is not None
        assert problem.startswith("Scoreboard: ")
        assert named in problem
        assert len(problem) < 300


def test_what_is_not_applied_is_not_looked_at() -> None:
    wrong = horizon_score(1, weights={"forest": 7.0}, width_95=-1.0)
    its = ScoringBoards("1d", HORIZONS)
    assert its.add(board("AAPL", 1, [horizon_score(1, weights={"forest": 7.0}, width_95=2.0)])) is None
    assert its.add(board("*", 1, [horizon_score(1, weights=EVEN, width_95=-1.0)])) is None
    assert its.add(board("AAPL", 2, [wrong])) is not None
    assert its.add(board("*", 2, [wrong])) is not None


@given(st.lists(st.floats(), max_size=4), st.lists(st.floats(), min_size=2, max_size=2))
def test_whatever_numbers_come_what_is_served_is_shares_and_multiples(shares: list[float], pair: list[float]) -> None:
    its = ScoringBoards("1d", HORIZONS)
    its.add(weights_board(1, {f"m{number}": share for number, share in enumerate(shares)}))
    its.add(widths_board("AAPL", 1, (pair[0], pair[1])))
    weights, widths = its.weights(1), its.widths("AAPL", 1)
    for each in () if weights is None else weights.by_horizon:
        assert each is not None
        assert all(share >= 0 for share in each.values())
        assert sum(each.values()) == pytest.approx(1.0, abs=1e-5)
    assert all(math.isfinite(width) and width > 0 for width in (() if widths is None else widths.multiples))
