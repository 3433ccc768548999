"""What became of a forecast from a caller's own prices: the rule, and what is kept of those that wait."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from feature_stream.ledger import LEAST_CLOSES, TickerLedger
from feature_stream.outcomes.forecasts import ForecastBook, OpenForecast
from feature_stream.settle import PassedOver, take_bar, take_prediction
from feature_stream.settle_forecast import content_digest, settle_forecast, ticker_of
from schemas.events import Forecast, Outcome
from tests.feature_stream.forecasts import forecast
from tests.feature_stream.settling import MINUTE, RULES, bar, end_of, prediction, price_of, said_of


def _ledger(*bars: int, ticker: str = "A", **changes: Any) -> TickerLedger:
    ledger = TickerLedger(ticker, 0)
    for offset, number in enumerate(bars):
        take_bar(ledger, bar(number, ticker, **changes), offset, RULES, 0)
    return ledger


def _settled(ledger: TickerLedger, asked: Forecast, now_ns: int = 0) -> Outcome:
    result = settle_forecast(ledger, asked, RULES, now_ns)
    assert isinstance(result, Outcome)
    return result


def test_a_forecast_is_held_beside_the_close_after_the_one_that_it_began_from() -> None:
    outcome = _settled(_ledger(1, 2, 3, 4), forecast(2), now_ns=7)
    assert outcome.id == f"A:1m:2024-01-01T00:01:00Z:h1:forecast/{content_digest(forecast(2))}"
    assert (outcome.request_id, outcome.prediction_id) == ("r", "r/set-a/arima")
    assert (outcome.start_ns, outcome.as_of_ns, outcome.matured_ns) == (end_of(1), end_of(2), end_of(3))
    assert (outcome.bar_index, outcome.horizon, outcome.settled_at_ns) == (2, 1, 7)
    assert outcome.actual_log_return == math.log(price_of(3) / price_of(2))
    assert (outcome.predicted_log_return, outcome.start_price) == (0.01, price_of(2))
    assert outcome.inside_95 is not None
    assert outcome.models.keys() == {"arima"}
    assert (outcome.weights_version, outcome.intervals_version) == ("prior", "normal")
    assert outcome.scored


def test_it_waits_until_the_next_close_is_there() -> None:
    for bars in ((), (1,), (1, 2)):
        assert settle_forecast(_ledger(*bars), forecast(2), RULES, 0) is None


def test_it_began_from_the_newest_bar_that_had_ended_though_nothing_was_traded_since() -> None:
    asked = forecast(2, as_of_ns=end_of(2) + 30 * MINUTE)
    ledger = _ledger(1, 2)
    assert settle_forecast(ledger, asked, RULES, 0) is None
    take_bar(ledger, bar(3, end_ns=end_of(60)), 2, RULES, 0)
    outcome = _settled(ledger, asked)
    assert (outcome.start_ns, outcome.as_of_ns, outcome.matured_ns) == (end_of(1), end_of(2), end_of(60))


@pytest.mark.parametrize(
    ("bars", "asked", "reason"),
    [
        ((1, 2, 3), forecast(2, from_price=1.5), PassedOver.OTHER_BAR),
        ((1, 2, 3), forecast(2, interval="1d"), PassedOver.INTERVAL),
        ((1, 2, 3), forecast(2, interval=None), PassedOver.INTERVAL),
        ((1, 2, 3), forecast(2, horizons=[]), PassedOver.HORIZON),
        ((1, 2, 4), forecast(2), PassedOver.NO_BAR),
        ((3, 4), forecast(2), PassedOver.LATE),
        (tuple(range(1, LEAST_CLOSES + 4)), forecast(2), PassedOver.LATE),
    ],
)
def test_what_cannot_be_settled_says_why(bars: tuple[int, ...], asked: Forecast, reason: PassedOver) -> None:
    assert settle_forecast(_ledger(*bars), asked, RULES, 0) is reason


@pytest.mark.parametrize(
    "changes",
    [{"error": "wrong"}, {"ticker": None}, {"ticker": "no symbol!"}, {"as_of_ns": None}, {"from_price": None}],
)
def test_an_error_and_one_without_ticker_or_place_has_nothing_to_be_settled_by(changes: dict[str, Any]) -> None:
    assert ticker_of(forecast(1)) == "A"
    assert ticker_of(msgspec.structs.replace(forecast(1), **changes)) is None


def test_what_the_statistical_forecaster_said_instead_is_settled_as_its_own() -> None:
    [own] = forecast(2).models
    stood_in = msgspec.structs.replace(own, name="statistical")
    asked = forecast(2, model_set="statistical", models=[stood_in], degraded="untrained", arima_order=None)
    outcome = _settled(_ledger(1, 2, 3), asked)
    assert (outcome.model_set, set(outcome.models), outcome.scored) == ("statistical", {"statistical"}, True)


def test_what_was_in_sample_or_partial_does_not_count() -> None:
    assert _settled(_ledger(1, 2, 3), forecast(2, in_sample=True)).unscored_reason == "in_sample"
    assert _settled(_ledger(1, 2, 3, partial=True), forecast(2)).unscored_reason == "partial"


@given(
    before=st.integers(1, 20),
    later=st.integers(1, LEAST_CLOSES - 1),
    as_of_late=st.integers(0, MINUTE - 1),
    log_return=st.floats(-0.5, 0.5),
)
def test_it_settles_to_the_same_whenever_it_is_asked(
    before: int, later: int, as_of_late: int, log_return: float
) -> None:
    asked = forecast(before, as_of_ns=end_of(before) + as_of_late, horizons=forecast(before).horizons)
    [said] = asked.horizons
    asked = msgspec.structs.replace(asked, horizons=[msgspec.structs.replace(said, log_return=log_return)])
    ledger = _ledger(*range(1, before + 2))
    first = _settled(ledger, asked)
    for offset, number in enumerate(range(before + 2, before + later + 1), before + 1):
        take_bar(ledger, bar(number), offset, RULES, 0)
    again = msgspec.json.decode(msgspec.json.encode(asked), type=Forecast)
    late = _settled(TickerLedger.restore(ledger.snapshot()), msgspec.structs.replace(again, answered_at_ns=9), 5)
    assert (late.id, said_of(late)) == (first.id, said_of(first))


def test_an_id_used_twice_gives_two_outcomes_and_none_is_that_of_a_served_prediction() -> None:
    other = msgspec.structs.replace(forecast(2).horizons[0], log_return=-0.02)
    ledger = _ledger(1, 2)
    take_prediction(ledger, prediction(2), 0, RULES, 0)
    served = take_bar(ledger, bar(3), 2, RULES, 0).outcomes
    ids = [_settled(ledger, asked).id for asked in (forecast(2), forecast(2, horizons=[other]))]
    assert len({*ids, *(each.id for each in served)}) == 2 + len(served) == 3
    assert served[0].request_id is None


class Kept:
    """A book, and its figures."""

    def __init__(self, most_open: int = 10) -> None:
        self.registry = CollectorRegistry()
        self.book = ForecastBook(RULES, most_open, self.registry)

    def add(self, *asked: Forecast) -> None:
        for each in asked:
            self.book.add(OpenForecast(each.ticker or "", content_digest(each), each, "trace"))

    def counted(self, reason: str) -> float:
        return self.registry.get_sample_value("tickcast_forecasts_settled_total", {"reason": reason}) or 0.0


def test_a_book_settles_each_once_and_counts_it() -> None:
    kept = Kept()
    kept.add(forecast(1), forecast(2), forecast(2), forecast(1, "B"), forecast(1, request="s", from_price=3.0))
    assert len(kept.book) == 4
    [(outcome, trace)] = kept.book.settle(_ledger(1, 2), 0)
    assert (outcome.bar_index, trace) == (1, "trace")
    assert (len(kept.book), kept.counted("scored"), kept.counted("other_bar")) == (2, 1, 1)
    assert not list(kept.book.settle(_ledger(1, 2), 0))
    assert kept.registry.get_sample_value("tickcast_open_forecasts") == 2


def test_what_is_not_due_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept(most_open=100)
    kept.add(*(forecast(index, request=f"r{index}") for index in range(3, 60)))
    asked: list[Forecast] = []

    def settle(_ledger: TickerLedger, each: Forecast, *_: Any) -> None:
        asked.append(each)

    monkeypatch.setattr("feature_stream.outcomes.forecasts.settle_forecast", settle)
    assert not list(kept.book.settle(_ledger(1, 2, 3, 4), 0))
    assert [each.request_id for each in asked] == ["r3"]


def test_one_request_for_two_tickers_waits_twice() -> None:
    kept, mistyped = Kept(), forecast(1)
    kept.add(mistyped, msgspec.structs.replace(mistyped, ticker="B"))
    assert len(kept.book) == 2


def test_of_too_many_the_oldest_is_forgotten_and_counted() -> None:
    kept = Kept(most_open=2)
    kept.add(forecast(1), forecast(2), forecast(3))
    assert (len(kept.book), kept.counted("forgotten")) == (2, 1)
    assert [outcome.bar_index for outcome, _ in kept.book.settle(_ledger(1, 2, 3, 4), 0)] == [2, 3]
