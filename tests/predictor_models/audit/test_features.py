"""Features with a view of the future are found."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from feature_stream.offline import FeatureRow
from ingestor.sources.bars import BarColumns
from predictor.training.audit.features import check_features
from predictor.training.audit.world import World
from predictor.training.row_events import rows_of
from schemas.times import Interval

CUTS = 2


def a_feature_that_sees_the_next_bar(interval: Interval, columns: BarColumns) -> Iterator[FeatureRow]:
    rows = list(rows_of(interval, columns))
    for row, after in zip(rows, [*rows[1:], rows[-1]], strict=True):
        yield replace(row, model_inputs=[*row.model_inputs[:-1], after.close / row.close]) if row.model_inputs else row


def a_feature_scaled_by_all_of_history(interval: Interval, columns: BarColumns) -> Iterable[FeatureRow]:
    deviation = float(np.std(columns.close))
    return (replace(row, returns=[each / deviation for each in row.returns]) for row in rows_of(interval, columns))


def features_of_fewer_bars(interval: Interval, columns: BarColumns) -> Iterable[FeatureRow]:
    return list(rows_of(interval, columns))[:-1]


def test_the_products_features_know_no_later_bar(world: World) -> None:
    finding = check_features(world, CUTS)
    assert finding.passed, finding.problem
    rows = sum(len(columns) for cut_ns in world.cuts_ns(CUTS) for columns in world.until(cut_ns).values())
    assert finding.compared.startswith(f"{rows} rows of 2 tickers")


def test_a_feature_that_sees_the_next_bar_is_caught(world: World) -> None:
    problem = check_features(world, CUTS, a_feature_that_sees_the_next_bar).problem
    assert problem is not None
    assert problem.startswith("AAA: model_inputs of the bar that ends at ")


def test_a_feature_scaled_by_all_of_history_is_caught(world: World) -> None:
    problem = check_features(world, CUTS, a_feature_scaled_by_all_of_history).problem
    assert problem is not None
    assert "returns of the bar" in problem


def test_a_bar_without_features_is_noticed(world: World) -> None:
    problem = check_features(world, CUTS, features_of_fewer_bars).problem
    assert problem is not None
    assert "rows of features for" in problem
