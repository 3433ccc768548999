"""Boards: equal to pandas, scikit-learn and scipy, and a function of the set of outcomes."""

import json
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as some
from msgspec.structs import replace

from feature_stream.scores.board import ALL
from feature_stream.scores.state import BoardSizes, ScoreKeeper, pooled_scoreboard, scoreboard
from schemas.codec import decoder, encode
from schemas.events import HorizonScore, Scoreboard
from tests.feature_stream.outcome_logs import DAY, Market, outcome, outcomes_of
from tests.feature_stream.runs import MIDNIGHT
from tests.feature_stream.score_reference import horizon_reference, last_of_dates, last_of_ticker

FULL = Market(tickers=("A", "B", "C"), bars=560, seed=7)
PATCHY = Market(tickers=("A", "B"), bars=580, seed=8, gaps=0.1, silent=0.1, at_rest=0.05)
YOUNG = Market(tickers=("A",), bars=3, seed=9)
EVERY_MARKET = pytest.mark.parametrize("market", [FULL, PATCHY, YOUNG], ids=["full", "patchy", "young"])


def assert_equal(found: HorizonScore, expected: dict[str, Any]) -> None:
    content = msgspec.to_builtins(found)
    assert content["models"].keys() == expected["models"].keys()
    pairs = [("", content, expected)]
    pairs += [(f"{part}.", content[part], expected[part]) for part in ("ensemble", "naive")]
    pairs += [(f"{name}.", content["models"][name], expected["models"][name]) for name in expected["models"]]
    for prefix, ours, theirs in pairs:
        for name, value in theirs.items():
            if not isinstance(value, dict):
                near = value if value is None else pytest.approx(value, rel=1e-6, abs=1e-9)
                assert ours[name] == near, f"{prefix}{name} at horizon {found.horizon}"


@EVERY_MARKET
def test_the_board_of_a_ticker_is_that_of_pandas(market: Market) -> None:
    outcomes = list(outcomes_of(market))
    keeper = ScoreKeeper("1d")
    keeper.add(outcomes)
    for ticker in market.tickers:
        board = keeper.board(ticker, 0)
        assert [score.horizon for score in board.horizons] == list(market.horizons)
        for score in board.horizons:
            assert_equal(score, horizon_reference(last_of_ticker(outcomes, ticker, score.horizon, 500)))


@EVERY_MARKET
def test_the_board_of_all_is_that_of_pandas(market: Market) -> None:
    outcomes = list(outcomes_of(market))
    board = pooled_scoreboard(outcomes, "1d")
    assert board is not None
    assert board.ticker == ALL
    for score in board.horizons:
        assert_equal(score, horizon_reference(last_of_dates(outcomes, score.horizon, 500)))


def test_enough_dates_have_intervals_and_too_few_have_none() -> None:
    full, young = (pooled_scoreboard(outcomes_of(market), "1d") for market in (FULL, YOUNG))
    assert full is not None
    assert young is not None
    for score in full.horizons:
        assert score.error_p_value is not None
        assert score.ensemble.hit_rate_low is not None
        assert score.hit_rate_difference_low is not None
    for score in young.horizons:
        assert score.error_p_value is score.ensemble.hit_rate_low is score.hit_rate_difference_low is None


def test_forecasts_from_callers_prices_are_no_part_of_a_board() -> None:
    outcomes = list(outcomes_of(YOUNG))
    callers = [replace(each, id=f"{each.id}/r", request_id="r", predicted_log_return=0.3) for each in outcomes]
    strangers = [replace(each, ticker="Z") for each in callers]
    board, mixed = (pooled_scoreboard(those, "1d") for those in (outcomes, [*callers, *strangers, *outcomes]))
    assert board == mixed
    assert pooled_scoreboard(callers, "1d") is None


any_market = some.builds(
    Market,
    tickers=some.sampled_from([("A",), ("A", "B"), ("A", "B", "C")]),
    bars=some.integers(1, 12),
    horizons=some.sampled_from([(1,), (1, 3), (2, 5)]),
    seed=some.integers(0, 2**20),
    gaps=some.sampled_from([0.0, 0.4]),
    silent=some.sampled_from([0.0, 0.5]),
    at_rest=some.sampled_from([0.0, 0.5, 1.0]),
    beside=some.sampled_from([0.0, 0.5, 1.0]),
)
any_sizes = some.builds(
    BoardSizes,
    outcomes=some.integers(1, 6),
    dates=some.integers(1, 6),
    kept_dates=some.just(6),
    width_outcomes=some.just(8),
)


def boards_of(keeper: ScoreKeeper) -> list[Scoreboard]:
    if not keeper.tickers:
        return []
    return [*(keeper.board(ticker, 0) for ticker in keeper.tickers), keeper.pooled_board(0)]


@given(any_market, any_sizes, some.randoms(use_true_random=False), some.integers(1, 7))
@settings(max_examples=60)
def test_boards_from_outcomes_in_any_order_and_twice_are_the_very_same_as_from_scratch(
    market: Market, sizes: BoardSizes, chance: Random, batch: int
) -> None:
    outcomes = list(outcomes_of(market))
    scratch = ScoreKeeper("1d", sizes)
    scratch.add(outcomes)
    mixed = outcomes + chance.sample(outcomes, len(outcomes) // 2)
    chance.shuffle(mixed)
    keeper = ScoreKeeper("1d", sizes)
    for first in range(0, len(mixed), batch):
        keeper.add(mixed[first : first + batch])
        if chance.random() < 0.1:
            boards_of(keeper)  # to look changes nothing
    assert boards_of(keeper) == boards_of(scratch)


@given(any_market, any_sizes)
@example(  # the last members that are weighed spoke before all that is looked back on
    Market(tickers=("A",), bars=11, horizons=(1,), seed=1794, silent=0.5, beside=1.0),
    BoardSizes(outcomes=1, dates=1, width_outcomes=8, kept_dates=6),
)
@settings(max_examples=40)
def test_boards_are_a_function_of_the_last_outcomes(market: Market, sizes: BoardSizes) -> None:
    """What is older than all that a board looks back on may never have been read."""
    outcomes = list(outcomes_of(market))
    whole, late = ScoreKeeper("1d", sizes), ScoreKeeper("1d", sizes)
    whole.add(outcomes)
    late.add(
        one
        for ticker in market.tickers
        for horizon in market.horizons
        for one in last_of_ticker(outcomes, ticker, horizon, sizes.width_outcomes)
    )
    assert boards_of(late) == boards_of(whole)


@given(any_market)
@settings(max_examples=40)
def test_every_board_can_be_written_and_read(market: Market) -> None:
    read = decoder(Scoreboard)
    keeper = ScoreKeeper("1d")
    outcomes = list(outcomes_of(market))
    for first in range(0, len(outcomes), 9):
        keeper.add(outcomes[first : first + 9])
        for board in boards_of(keeper):
            assert read(encode(board)) == board, "a number that is not finite becomes null"


def test_what_is_not_scored_does_not_count_and_changes_nothing() -> None:
    keeper = ScoreKeeper("1d")
    assert keeper.add([outcome(scored=False, unscored_reason="in_sample"), outcome(interval="1h")]) == set()
    assert keeper.tickers == []
    assert scoreboard([outcome(scored=False)], "1d") is None
    assert pooled_scoreboard([], "1d") is None
    for ask in (keeper.pooled_board, lambda now_ns: keeper.board("A", now_ns)):
        with pytest.raises(KeyError):
            ask(0)


def test_those_whose_boards_change_are_named() -> None:
    keeper = ScoreKeeper("1d")
    assert keeper.add([outcome("A", 0), outcome("B", 0)]) == {"A", "B"}
    assert keeper.add([outcome("A", 0), outcome("B", 1)]) == {"B"}


def test_a_board_says_how_far_it_reaches() -> None:
    outcomes = [outcome("A", 3, 1, source_offset=40), outcome("A", 1, 5, source_offset=41), outcome("B", 9, 1)]
    keeper = ScoreKeeper("1d")
    keeper.add(outcomes)
    mine, pooled = keeper.board("A", 77), keeper.pooled_board(77)
    assert (mine.through_ns, mine.bar_index) == (MIDNIGHT + 7 * DAY, 7)
    assert (mine.source_partition, mine.source_offset, mine.updated_at_ns) == (0, 41, 77)
    assert (pooled.through_ns, pooled.bar_index) == (MIDNIGHT + 11 * DAY, 7 + 11)
    assert (pooled.source_partition, pooled.source_offset) == (-1, 42)


@given(some.randoms(use_true_random=False))
def test_the_board_of_all_names_the_set_that_answered_most_of_the_newest_date(chance: Random) -> None:
    served = [outcome(ticker, bar) for ticker in "ABC" for bar in range(3)]
    others = [outcome("D", 2, model_set="set-9"), outcome("E", 1, 5, model_set="set-9")]
    warming_up = [outcome(ticker, 2, model_set="statistical") for ticker in "VWXYZ"]
    for outcomes, name in (
        (served + others, "set-1"),
        (served + others + warming_up, "set-1"),
        ([*served[:3], *others[:1]], "set-9"),  # one each: by name
        (warming_up, "statistical"),
    ):
        chance.shuffle(outcomes)
        board = pooled_scoreboard(outcomes, "1d")
        assert board is not None
        assert board.model_set == name


def test_nothing_of_a_board_is_newer_than_it_says() -> None:
    outcomes = sorted(outcomes_of(Market(bars=8)), key=lambda one: one.matured_ns)
    keeper = ScoreKeeper("1d")
    for number, one in enumerate(outcomes):
        keeper.add([one])
        board = keeper.pooled_board(0)
        assert board.through_ns == one.matured_ns
        assert board == pooled_scoreboard((o for o in outcomes[: number + 1] if o.matured_ns <= board.through_ns), "1d")


def test_one_id_has_one_content() -> None:
    keeper = ScoreKeeper("1d")
    ids: dict[str, Scoreboard] = {}
    for one in outcomes_of(Market(tickers=("A", "B"), bars=20)):
        keeper.add([one])
        for board in boards_of(keeper):
            known = ids.setdefault(board.id, board)
            assert replace(known, source_offset=0) == replace(board, source_offset=0)
    assert any(board_id.startswith(f"{ALL}:1d:2024-01-") for board_id in ids)


def test_versions_change_with_weights_and_widths_and_only_then() -> None:
    keeper = ScoreKeeper("1d")
    seen: dict[str, Any] = {}
    for one in outcomes_of(Market(tickers=("A", "B"), bars=25, silent=0.3)):
        keeper.add([one])
        for board in boards_of(keeper):
            weights = [(score.horizon, score.weights) for score in board.horizons]
            widths = [(score.horizon, score.width_95, score.width_99) for score in board.horizons]
            for version, numbers in ((board.weights_version, weights), (board.intervals_version, widths)):
                if version not in ("prior", "holdout"):
                    shown = json.dumps([n for n in numbers if any(n[1:])])
                    assert seen.setdefault(version, shown) == shown
    assert len(set(seen.values())) == len(seen) > 20
