"""Forecasts from callers' prices and the real service: settled by the log of bars, whatever happens in between."""

import random
from collections.abc import Sequence
from itertools import islice

import msgspec
import pytest

from feature_stream.settle_forecast import content_digest
from schemas.broker import wait_until
from schemas.codec import new_traceparent, traceparent_of
from schemas.events import Bar, Forecast
from schemas.identity import forecast_outcome_id
from schemas.topics import FORECASTS, OUTCOMES
from tests.brokers import BrokerUnderTest, Record
from tests.contents import contents
from tests.feature_stream.forecasts import forecast
from tests.feature_stream.outcomes_runs import TICKERS, expected_outcomes, feed_market, market, start_outcomes
from tests.feature_stream.settling import assert_as_expected
from tests.feature_stream.stages import all_ids
from tests.processes import Processes, ServiceProcess

pytestmark = pytest.mark.integration


def _from(bar: Bar, request: str) -> Forecast:
    """Give the forecast of a caller who has the closes of the log up to a bar."""
    return forecast(bar.bar_index, bar.ticker, request, from_price=bar.close)


def _name(asked: Forecast, bar: Bar) -> str:
    return forecast_outcome_id(bar.ticker, "1m", bar.start_ns, 1, content_digest(asked))


def _counted(service: ServiceProcess, count: int) -> None:
    service.wait_for(
        lambda: service.metric("tickcast_forecasts_settled_total") == count, what=f"{count} forecasts settled"
    )


def test_they_are_settled_through_a_restart_and_change_no_outcome_of_a_served_prediction(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    minutes = market(rng, range(1, 100))
    pairs = list(islice(minutes, 20 * len(TICKERS)))
    old, newest = pairs[-10 * len(TICKERS)][0], pairs[-1][0]
    due, waiting = _from(old, "due"), _from(newest, "waiting")
    foreign = msgspec.structs.replace(due, request_id="foreign", from_price=1.25)
    passed_by: list[Forecast | bytes] = [
        msgspec.structs.replace(due, ticker=None),
        msgspec.structs.replace(due, error="ForecastRequest: closes: 3 are given"),
        forecast(3, "NEVER", "unheard"),
        msgspec.structs.replace(due, as_of_ns=None, from_price=None, interval=None),
        b"{garbage",
    ]
    trace = new_traceparent()
    service = start_outcomes(processes, kafka, checkpoint_interval_ms=300)
    feed_market(kafka, pairs)
    kafka.produce(FORECASTS, foreign, *passed_by, waiting, key="r")
    kafka.produce(FORECASTS, due, key="due", headers=[("traceparent", trace.encode())])
    [*_, first] = kafka.read(OUTCOMES, all_ids([_name(due, old)]))
    _counted(service, 2)  # that one, and the one of another series
    service.kill()

    more = list(islice(minutes, 5 * len(TICKERS)))
    feed_market(kafka, more)
    late = _from(more[0][0], "late")
    again = start_outcomes(processes, kafka)
    kafka.produce(FORECASTS, late, key="late")
    served = expected_outcomes(kafka)
    own = {_name(due, old), _name(waiting, newest), _name(late, more[0][0])}
    records = kafka.read(OUTCOMES, all_ids({*served, *own}))
    _counted(again, 4)
    said = contents(records)
    assert_as_expected({name: each for name, each in said.items() if each["request_id"] is None}, served)
    assert {name for name, each in said.items() if each["request_id"] is not None} == own
    _assert_it_is_what_the_log_says(records, old, pairs, _name(due, old))
    assert {traceparent_of(each.headers) for each in records if each.event().id == _name(due, old)} == {trace}
    assert first.headers["ce_type"] == b"tickcast.Outcome"
    assert again.metric("tickcast_open_forecasts") == 1, "the ticker that nobody has heard of"
    assert again.stop() == 0


def _assert_it_is_what_the_log_says(
    records: list[Record], start: Bar, pairs: Sequence[tuple[Bar, object]], name: str
) -> None:
    [after] = [bar for bar, _ in pairs if (bar.ticker, bar.bar_index) == (start.ticker, start.bar_index + 1)]
    found = [each for each in records if each.event().id == name]
    assert len(found) == 2, "once in each life"
    for record in found:
        outcome = record.event()
        assert (outcome.start_price, outcome.matured_ns) == (start.close, after.end_ns)
        assert record.key == start.ticker.encode()


def test_bars_wait_for_the_forecasts_that_a_start_has_to_read(
    kafka: BrokerUnderTest, processes: Processes, rng: random.Random
) -> None:
    pairs = [each for each in market(rng, range(1, 200)) if each[0].ticker == TICKERS[0]]
    asked = {_name(_from(bar, "r"), bar): _from(bar, "r") for bar, _ in pairs[:100]}
    kafka.produce(FORECASTS, *asked.values(), key="r")
    feed_market(kafka, pairs)  # twice and more what a ledger keeps
    service = start_outcomes(processes, kafka, "tests.feature_stream.slow_forecasts")
    kafka.read(OUTCOMES, all_ids(asked))
    wait_until(lambda: service.metric("tickcast_open_forecasts") == 0, seconds=60, what="settling all")
    assert service.metric("tickcast_forecasts_settled_total") == len(asked)
