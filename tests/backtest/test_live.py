"""The predictions in `outcomes` give the live scores: the same report as the walk that could have made them."""

from pathlib import Path

import pytest
from msgspec import structs

from predictor.training.backtest.dates import dates_of
from predictor.training.backtest.live import bars_as_columns, read_what_was_predicted
from predictor.training.backtest.options import BacktestOptions
from predictor.training.backtest.past import Walked
from predictor.training.backtest.task import compose_walked
from predictor.training.settings import TrainingSettings
from schemas.topics import BARS, OUTCOMES
from tests.backtest.pasts import FROM_NS, a_past, linear_set, walked
from tests.brokers import BrokerUnderTest
from tests.predictor_models.examples import DAY_NS

LIVE = BacktestOptions(from_outcomes=True)


@pytest.fixture
def live(embedded: BrokerUnderTest, tmp_path: Path) -> TrainingSettings:
    return embedded.settings(TrainingSettings, models_directory=tmp_path, source="file:prices.csv")


def test_outcomes_and_bars_of_the_topics_give_the_report_of_the_walk(
    embedded: BrokerUnderTest, live: TrainingSettings
) -> None:
    model_set, past = linear_set(live.models_directory), a_past(160)
    outcomes = walked(past, model_set)
    bars = [closed.bar for date in dates_of(past, "1d", 0) for closed in date.closed]
    for ticker in past:
        own = [outcome for outcome in outcomes if outcome.ticker == ticker]
        callers = structs.replace(own[0], id="a caller's", request_id="r", predicted_log_return=0.5)
        embedded.produce(OUTCOMES, callers, *own, own[0], b"not an outcome", key=ticker)
        embedded.produce(BARS, *(bar for bar in bars if bar.ticker == ticker), key=ticker)
    found = read_what_was_predicted(live, LIVE)
    assert [manifest.model_set for manifest in found.manifests] == ["set-linear"]
    report = compose_walked(found, live, LIVE)
    expected = compose_walked(Walked(outcomes, past, [model_set.manifest]), live, LIVE)
    assert report == expected
    assert report.options.live
    assert report.boards["*"].horizons[0].ensemble.count == 119 + 99

    only = TrainingSettings(_env_file=None, **(live.model_dump() | {"tickers": ("AAA",), "horizons": (1,)}))
    later = BacktestOptions(from_outcomes=True, from_ns=100 * DAY_NS, to_ns=140 * DAY_NS)
    some = compose_walked(read_what_was_predicted(only, later), only, later)
    assert (some.tickers, [each.horizon for each in some.horizons]) == (["AAA"], [1])
    assert (some.horizons[0].outcomes, some.first_as_of) == (39, "1970-04-12T00:00:00Z")


def test_bars_come_back_as_columns_each_time_once() -> None:
    past = a_past(80)
    bars = [closed.bar for date in dates_of(past, "1d", 0) for closed in date.closed]
    found = bars_as_columns([*reversed(bars), structs.replace(bars[0], close=1.0)])
    for ticker, columns in past.items():
        for name, values in vars(columns).items():
            assert getattr(found[ticker], name).tolist() == values.tolist()
    assert FROM_NS < 80 * DAY_NS
