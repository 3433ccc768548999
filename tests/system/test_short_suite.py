"""Two hundred bars a ticker through the whole system on the embedded broker, which forgets what is long ago."""

import pytest

from schemas.topics import BARS, FEATURES, PREDICTIONS
from tests.brokers import BrokerUnderTest
from tests.contents import contents
from tests.processes import Processes, free_port
from tests.system.oracle import assert_bars_equal, assert_final_features_equal, played_bars
from tests.system.running_system import System, is_final

pytestmark = pytest.mark.integration

START, END, LAST_DAY, TICKERS = "2000-06-01", "2000-12-13", "2000-12-12", ("AAPL", "IBM")


def test_two_hundred_bars_become_features_and_predictions(embedded: BrokerUnderTest, processes: Processes) -> None:
    settings = {
        "start": START,
        "end": LAST_DAY,
        "tickers": ",".join(TICKERS),
        "speed": 0,
        "session_timeout_seconds": 30,
    }
    system = System(embedded, processes, free_port(), settings)
    bars = played_bars(START, END, TICKERS)
    count = sum(len(columns) for columns in bars.values())
    assert count == 400
    system.start_all()
    assert_bars_equal(contents(system.wait_for_count(count, BARS)), bars)
    finals = contents(system.wait_for_count(count, FEATURES, is_final))
    assert_final_features_equal(finals, bars)
    predictions = [record.event() for record in system.wait_for_count(count, PREDICTIONS)]
    assert {prediction.feature_id for prediction in predictions} == set(finals)
    assert {prediction.degraded for prediction in predictions} == {"warming up", "untrained"}
    newest = {p.ticker: p.id for p in sorted(predictions, key=lambda p: p.bar_index)}
    system.services["gateway"].wait_for(lambda: system.latest() == newest, what="the last predictions at the gateway")
