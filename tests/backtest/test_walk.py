"""The walk is the live system's: its events, its settlement, its boards; and it knows nothing of what comes."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from feature_stream.scores.state import ScoreKeeper
from ingestor.sources.bar_play import PlayedBar, four_prices, four_sizes
from predictor.artifacts import ModelSet
from predictor.predict import predict
from predictor.scoring_boards import ScoringBoards
from predictor.training.backtest.dates import dates_of
from predictor.training.backtest.refits import Refits
from schemas.events import Outcome, Prediction, TickFrame
from tests.backtest.pasts import FROM_NS, RULES, a_past, changed_from, linear_set, unlike, walked
from tests.feature_stream.runs import Run, rules
from tests.predictor_models.examples import DAY_NS, HORIZONS, random_walk

HOUR_NS = DAY_NS // 24


@pytest.fixture(scope="module")
def model_set(tmp_path_factory: pytest.TempPathFactory) -> ModelSet:
    return linear_set(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def outcomes(model_set: ModelSet) -> list[Outcome]:
    return walked(a_past(), model_set)


def test_bars_and_features_are_those_of_the_stage() -> None:
    columns = random_walk(5, 90)
    run = Run(rules("1d"))
    for number, (start_ns, *prices) in enumerate(
        zip(columns.start_ns, columns.open, columns.high, columns.low, columns.close, columns.volume, strict=True)
    ):
        played = PlayedBar("AAA", *map(float, prices))
        run.take(
            TickFrame(
                source="s",
                sequence=number,
                position=str(number),
                tickers=["AAA"] * 4,
                times_ns=[int(start_ns) + step * HOUR_NS for step in range(4)],
                prices=list(four_prices(played)),
                sizes=list(four_sizes(played.volume)),
                ingested_at_ns=0,
                watermark_ns=int(start_ns) + DAY_NS,
            )
        )
    closed = [each for date in dates_of({"AAA": columns}, "1d", 0) for each in date.closed]
    processing = {"source_offset": 0, "ingested_at_ns": 0}
    alike = {**processing, "closed_at_ns": 0, "source": ""}
    assert [structs.replace(each.bar, **alike) for each in closed] == [structs.replace(b, **alike) for b in run.bars]
    alike = {**processing, "featured_at_ns": 0}
    ours = [structs.replace(each.features, **alike) for each in closed]
    assert ours == [structs.replace(features, **alike) for features in run.features]


def test_dates_begin_at_the_first_asked_for_with_windows_that_are_full() -> None:
    dates = list(dates_of(a_past(), "1d", FROM_NS))
    assert dates[0].end_ns == FROM_NS + DAY_NS
    assert dates[0].closed[0].features.model_inputs
    assert [date.end_ns for date in dates] == sorted({date.end_ns for date in dates})
    assert {len(date.closed) for date in dates} == {1, 2}
    assert all(closed.bar.end_ns == date.end_ns for date in dates for closed in date.closed)


def test_every_prediction_that_matured_has_one_outcome(outcomes: list[Outcome]) -> None:
    assert len({outcome.id for outcome in outcomes}) == len(outcomes)
    for horizon in HORIZONS:
        of_horizon = [outcome for outcome in outcomes if outcome.horizon == horizon and outcome.ticker == "AAA"]
        assert len(of_horizon) == 240 - horizon
    assert all(later.matured_ns >= sooner.matured_ns for sooner, later in pairwise(outcomes))


def test_each_prediction_used_the_newest_board_that_was_there_and_none_that_knew_more(
    outcomes: list[Outcome], model_set: ModelSet
) -> None:
    keeper, boards = ScoreKeeper("1d"), ScoringBoards("1d", HORIZONS)
    said: dict[str, Prediction] = {}
    for date in dates_of(a_past(), "1d", FROM_NS):
        features = [closed.features for closed in date.closed]
        for prediction in predict(features, model_set, HORIZONS, 0, boards).predictions:
            said[prediction.id] = prediction
        changed = keeper.add(outcome for outcome in outcomes if outcome.matured_ns == date.end_ns)
        for ticker in changed:
            boards.add(keeper.board(ticker, 0))
        if changed:
            boards.add(keeper.pooled_board(0))
    assert {outcome.prediction_id for outcome in outcomes} <= said.keys(), "versions of boards are part of the id"
    versions = {outcome.intervals_version for outcome in outcomes}
    assert "holdout" in versions
    assert len(versions) > 100


@pytest.mark.parametrize("day", [80, 200])
def test_what_comes_later_changes_nothing_before(outcomes: list[Outcome], model_set: ModelSet, day: int) -> None:
    changed = {ticker: changed_from(columns, day * DAY_NS, day) for ticker, columns in a_past().items()}
    others = walked(changed, model_set)
    before = [outcome for outcome in outcomes if outcome.matured_ns <= day * DAY_NS]
    assert before
    assert unlike(before, others) == []
    assert unlike(outcomes, others), "the change must be seen by somebody"


def test_a_set_is_trained_before_the_first_date_and_again_every_so_many(model_set: ModelSet) -> None:
    asked: list[int] = []

    def train(before_ns: int) -> ModelSet:
        asked.append(before_ns)
        return model_set

    refits = Refits(train, 3, DAY_NS)
    for day in range(10, 18):
        refits.at(day * DAY_NS)
    assert asked == [9 * DAY_NS, 12 * DAY_NS, 15 * DAY_NS], "nothing that ends after the start of the date's own bar"
    assert [served.from_ns for served in refits.served] == [10 * DAY_NS, 13 * DAY_NS, 16 * DAY_NS]
    once = Refits(train, None, DAY_NS)
    assert {id(once.at(day * DAY_NS)) for day in range(5)} == {id(model_set)}
    assert len(once.served) == 1


def test_predictions_of_what_a_set_was_trained_on_do_not_count(tmp_path: Path) -> None:
    trained = linear_set(tmp_path)
    manifest = structs.replace(trained.manifest, train_end_ns=60 * DAY_NS)
    seen = ModelSet(manifest, trained.folder, trained.members, trained.refused)
    outcomes = walked(a_past(100), seen)
    assert {outcome.scored for outcome in outcomes if outcome.as_of_ns <= 60 * DAY_NS} == {False}
    assert {outcome.scored for outcome in outcomes if outcome.as_of_ns > 60 * DAY_NS} == {True}
    assert np.unique([outcome.unscored_reason for outcome in outcomes if not outcome.scored]).tolist() == ["in_sample"]
    assert RULES.horizons == HORIZONS
