"""Replay in, predictions out, on a real Kafka: every service a process, each killed in turn."""

import json
from typing import Any

import pytest
from websockets.sync.client import connect

from schemas.topics import BARS, FEATURES, PREDICTIONS, PREDICTIONS_LATEST, TICKS
from tests.brokers import BrokerUnderTest
from tests.contents import contents
from tests.processes import Processes, free_port
from tests.records import Record
from tests.system.oracle import assert_bars_equal, assert_final_features_equal, played_bars
from tests.system.running_system import READ_SECONDS, System, is_final

pytestmark = [pytest.mark.integration, pytest.mark.slow]

START, END, LAST_DAY = "2012-06-01", "2012-08-01", "2012-07-31"


@pytest.fixture
def system(kafka: BrokerUnderTest, processes: Processes, trained_models: str) -> System:
    settings = {"models_directory": trained_models, "start": START, "end": LAST_DAY, "speed": 3}
    return System(kafka, processes, free_port(), settings)


def test_what_goes_in_comes_out_whatever_is_killed(system: System) -> None:
    bars = played_bars(START, END)
    count = sum(len(columns) for columns in bars.values())
    system.announce_models()
    system.start_all()
    system.wait_for_count(count - 180, BARS)
    for name in ("ingestor", "predictor", "gateway", "feature_stream"):
        system.wait_for_count(min(len(system.broker.read(BARS)) + 15, count), BARS)
        system.services[name].kill()
        system.start(name)
    said_bars = contents(system.wait_for_count(count, BARS))
    said_features = contents(system.wait_for_count(count, FEATURES, is_final))
    assert_bars_equal(said_bars, bars)
    assert_final_features_equal(said_features, bars)
    _assert_every_final_is_predicted_once(system, said_features)
    _assert_no_tick_is_lost_or_doubled(system, count)


def _assert_every_final_is_predicted_once(system: System, finals: dict[str, dict[str, Any]]) -> None:
    wanted = set(finals)

    def all_predicted(records: list[Record]) -> bool:
        return wanted <= {record.event().feature_id for record in records}

    records = system.broker.read(PREDICTIONS, all_predicted, READ_SECONDS)
    predictions = [record.event() for record in records]
    assert {prediction.feature_id for prediction in predictions} == wanted
    by_id: dict[str, Any] = {}
    for prediction in predictions:
        first = by_id.setdefault(prediction.id, prediction)
        for said, again in zip(first.horizons, prediction.horizons, strict=True):
            assert again.log_return == pytest.approx(said.log_return, abs=1e-6)
            assert again.confidence == pytest.approx(said.confidence, abs=1e-6)
            assert again.direction == said.direction
    assert {member.name for prediction in predictions for member in prediction.models} >= {"forest", "lstm"}


def _assert_no_tick_is_lost_or_doubled(system: System, bars: int) -> None:
    frames = [record.event() for record in system.broker.read(TICKS)]
    assert sum(len(frame.tickers) for frame in frames) == 4 * bars


def test_rest_websocket_and_kafka_give_the_same_prediction_for_the_same_id(system: System) -> None:
    system.announce_models()
    system.start_all()
    url = f"ws://127.0.0.1:{system.gateway_port}/ws/predictions"
    system.services["gateway"].wait_for(lambda: system.answers("/predict/AAPL"), what="a prediction of AAPL")
    by_socket: dict[str, Any] = {}
    with connect(url) as socket:
        socket.send(json.dumps({"action": "subscribe", "tickers": ["*"]}))
        while {"AAPL", "FB", "GOOG", "IBM", "MSFT"} - {said["ticker"] for said in by_socket.values()}:
            message = json.loads(socket.recv(30))
            if message["type"] == "prediction":
                by_socket[message["id"]] = message
        system.services["ingestor"].stop()
        last_word = _quiet(socket, by_socket)
    by_rest = {said["id"]: said for said in system.get("/predictions")["predictions"]}
    on_kafka = {record.event().id: record.event() for record in system.broker.read(PREDICTIONS_LATEST)}
    assert set(by_rest) <= set(last_word)
    for key, said in by_rest.items():
        assert {name: value for name, value in last_word[key].items() if name != "type"} == said
        event = on_kafka[key]
        assert said["current_price"] == event.current_price
        assert said["prediction"]["price_target"] == event.horizons[0].price_target
        assert [h["confidence"] for h in said["horizons"]] == [h.confidence for h in event.horizons]


def _quiet(socket: Any, by_socket: dict[str, Any]) -> dict[str, Any]:
    """Read what is still on its way, until two seconds bring nothing."""
    while True:
        try:
            message = json.loads(socket.recv(2))
        except TimeoutError:
            return by_socket
        if message["type"] == "prediction":
            by_socket[message["id"]] = message


def test_a_second_start_continues_where_the_log_ends(system: System) -> None:
    bars = played_bars(START, END)
    count = sum(len(columns) for columns in bars.values())
    system.start_all()
    system.wait_for_count(count - 100, BARS)
    system.stop_all()
    before = system.broker.ends(TICKS)
    system.start_all()
    said = contents(system.wait_for_count(count, BARS))
    assert_bars_equal(said, bars)
    _assert_no_tick_is_lost_or_doubled(system, count)
    assert sum(system.broker.ends(TICKS).values()) > sum(before.values())
