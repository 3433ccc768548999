"""The desk on a broker: every request is answered once or again under the same id, soon, and beside the predictions."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct, structs
from prometheus_client import CollectorRegistry

from predictor.artifacts import ModelSet
from predictor.figures import Figures
from predictor.forecast_desk import ForecastDesk
from predictor.settings import PredictorSettings
from schemas.broker import wait_until
from schemas.codec import encode
from schemas.events import Forecast
from schemas.status import StatusBoard
from tests.brokers import BrokerUnderTest, Record
from tests.predictor.forecast_requests import arima_set, bars_of, closes, request
from tests.processes import Processes

SET = arima_set()
DEADLINE_SECONDS = 60.0
#: What a producer with usual settings sends at most, less what a record has beside its value.
LARGEST_RECORD = 999_900


class Desk:
    """A desk and what it counted."""

    def __init__(self, broker: BrokerUnderTest, model_set: ModelSet | None = SET) -> None:
        self.registry = CollectorRegistry()
        self.ready = threading.Event()
        figures = Figures(StatusBoard("predictor", "test"), self.registry)
        self.desk = ForecastDesk(broker.settings(PredictorSettings), lambda: model_set, self.ready, figures)

    def counted(self, kind: str) -> float:
        return self.registry.get_sample_value("tickcast_forecasts_total", {"kind": kind}) or 0.0


@contextmanager
def desk_on(broker: BrokerUnderTest) -> Iterator[Desk]:
    running = Desk(broker)
    running.desk.start()
    running.ready.set()
    try:
        yield running
    finally:
        running.desk.stop()


def answers(records: list[Record]) -> dict[str, Forecast]:
    return {record.event().request_id: record.event() for record in records}


def test_every_request_is_answered_under_its_id(broker: BrokerUnderTest) -> None:
    asked = [
        request(closes(64), id="good", ticker="AAPL"),
        request(bars=bars_of(closes(12)), id="short"),
        request([1.0], id="bad"),
    ]
    for each in asked:
        broker.produce("forecast-requests", each, key=each.id)
    with desk_on(broker) as running:
        records = broker.read("forecasts", until=len(asked))
        wait_until(lambda: running.counted("error") == 1, seconds=DEADLINE_SECONDS, what="the count")
    found = answers(records)
    assert {record.key for record in records} == {b"good", b"short", b"bad"}
    assert (found["good"].degraded, found["good"].ticker) == (None, "AAPL")
    assert found["short"].degraded == "fewer than 21 closes"
    assert "closes: 1 are given" in str(found["bad"].error)
    assert (running.counted("arima"), running.counted("statistical")) == (1, 1)


def test_what_cannot_be_read_goes_to_dead_letters_and_the_next_is_answered(broker: BrokerUnderTest) -> None:
    for value in (b"no json", b'{"interval": "1d"}', None, encode(request(closes(64), id="x" * 500))):
        broker.produce("forecast-requests", value, key="k")
    broker.produce("forecast-requests", request(closes(64), id="good"), key="k")
    with desk_on(broker):
        assert list(answers(broker.read("forecasts", until=1))) == ["good"]
        letters = broker.read("dead-letters", until=4)
    assert {letter.headers["dead_letter_origin"] for letter in letters} == {b"forecast-requests"}
    assert any(b"id has 500 characters" in (letter.headers["dead_letter_reason"] or b"") for letter in letters)


def test_whoever_can_be_found_is_told_what_is_wrong(broker: BrokerUnderTest) -> None:
    for value in (b'{"id": "bare"}', b'{"id": "long", "interval": "1d", "requested_at_ns": 1, "closes": "no list"}'):
        broker.produce("forecast-requests", value, key="k")
    with desk_on(broker):
        found = answers(broker.read("forecasts", until=2))
        assert broker.read("dead-letters") == []
    assert "ForecastRequest: interval: Object missing" in str(found["bare"].error)
    assert "ForecastRequest: closes: Expected `array`" in str(found["long"].error)


def test_the_largest_requests_there_can_be_hold_nobody_up(broker: BrokerUnderTest) -> None:
    """An answer or a letter that repeats all of a record is larger than the record, and no record can be."""
    wide = request([1.0] * 10, id="wide", ticker="A")
    wide = structs.replace(wide, ticker="A" * (LARGEST_RECORD - len(encode(wide))))
    asked: list[Struct | bytes] = [
        request(closes(64), id="first"),
        wide,
        b"x" * LARGEST_RECORD,
        request(closes(64), id="last"),
    ]
    for value in asked:
        broker.produce("forecast-requests", value, key="k")
    with desk_on(broker) as running:
        records = broker.read("forecasts", until=lambda found: "last" in answers(found))
        wait_until(lambda: running.counted("arima") == 2, seconds=DEADLINE_SECONDS, what="the count")
        [letter] = broker.read("dead-letters", until=1)
    assert sorted(record.event().request_id for record in records) == ["first", "last", "wide"]
    assert "ticker: 'AAAA" in str(answers(records)["wide"].error)
    assert b"cut: key and value had" in (letter.headers["dead_letter_reason"] or b"")


def test_what_was_answered_is_not_answered_again_after_a_restart(broker: BrokerUnderTest) -> None:
    broker.produce("forecast-requests", request(closes(64), id="first"), key="a")
    with desk_on(broker):
        broker.read("forecasts", until=1)
    with desk_on(broker):
        broker.produce("forecast-requests", request(closes(64), id="second"), key="a")
        records = broker.read("forecasts", until=lambda found: "second" in answers(found))
    assert sorted(record.event().request_id for record in records) == ["first", "second"]


def test_nobody_is_answered_before_the_models_are_known(broker: BrokerUnderTest) -> None:
    running = Desk(broker)
    running.desk.start()
    broker.produce("forecast-requests", request(closes(64)), key="r")
    assert broker.read("forecasts") == []
    running.ready.set()
    [record] = broker.read("forecasts", until=1)
    assert record.event().model_set == "set-arima"
    running.desk.stop()


def test_two_desks_share_the_requests(kafka: BrokerUnderTest) -> None:
    with desk_on(kafka) as one, desk_on(kafka) as other:
        for number in range(20):
            kafka.produce("forecast-requests", request(closes(64), id=f"r-{number}"), key=f"r-{number}")
        records = kafka.read("forecasts", until=lambda found: len(answers(found)) == 20)
        wait_until(
            lambda: one.counted("arima") + other.counted("arima") >= 20, seconds=DEADLINE_SECONDS, what="the counts"
        )
    by_id: dict[str, Forecast] = {}
    for record in records:
        said: Forecast = record.event()
        assert by_id.setdefault(said.id, said).horizons == said.horizons


def test_the_predictor_answers_requests(kafka: BrokerUnderTest, processes: Processes) -> None:
    processes.start("predictor", environment=kafka.environment())
    kafka.produce("forecast-requests", request(closes(64)), key="r-1")
    [record] = kafka.read("forecasts", until=1)
    assert (record.event().degraded, record.event().request_id) == ("untrained", "r-1")
