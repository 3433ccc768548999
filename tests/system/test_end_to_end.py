"""Replay in, predictions out, on a real Kafka: every service a process, each killed in turn."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from gateway.entries import order_of
from schemas.events import Scoreboard
from schemas.identity import outcome_id
from schemas.topics import BARS, FEATURES, OUTCOMES, PREDICTIONS, PREDICTIONS_LATEST, SCORES, TICKS
from tests.brokers import BrokerUnderTest
from tests.contents import contents
from tests.processes import Processes, free_port
from tests.records import Record
from tests.system.oracle import assert_bars_equal, assert_final_features_equal, played_bars
from tests.system.running_system import READ_SECONDS, System, is_final
from tests.training import WINDOW_BARS, Trained

pytestmark = [pytest.mark.integration, pytest.mark.slow]

START, END, LAST_DAY = "2012-06-01", "2012-08-01", "2012-07-31"
#: Live days from START on that no test plays to the end.
FAR_AWAY = "2013-02-28"
HORIZONS = (1, 5, 21)

MakeSystem = Callable[..., System]


@pytest.fixture
def make_system(kafka: BrokerUnderTest, processes: Processes, trained: Trained) -> MakeSystem:
    """Give a maker of the system; its keywords are settings."""
    models = {"models_directory": trained.folder.parent, "training_window_bars": WINDOW_BARS}

    def make(**settings: Any) -> System:
        return System(kafka, processes, free_port(), {**models, "start": START, "end": LAST_DAY, **settings})

    return make


def test_what_goes_in_comes_out_whatever_is_killed(make_system: MakeSystem) -> None:
    system = make_system(speed=0.5)  # slow, so that every kill finds a system at work
    bars = played_bars(START, END)
    count = sum(len(columns) for columns in bars.values())
    system.announce_models()
    system.start_all()
    system.wait_for_count(count - 200, BARS)
    for name in ("gateway", "predictor", "feature_stream.outcomes", "feature_stream", "ingestor"):
        reached = len(contents(system.broker.read(BARS)))
        assert reached + 5 < count, f"the play ends before {name} is killed"
        system.wait_for_count(reached + 5, BARS)
        system.services[name].kill()
        if name == "ingestor":
            system.settings["speed"] = 0
        system.start(name)
    said_bars = contents(system.wait_for_count(count, BARS))
    said_features = contents(system.wait_for_count(count, FEATURES, is_final))
    assert_bars_equal(said_bars, bars)
    assert_final_features_equal(said_features, bars)
    _assert_every_final_is_predicted_once(system, said_features)
    _assert_all_that_matured_is_settled_and_scored(system, said_features)
    _assert_no_tick_is_lost_or_doubled(system, count)
    _assert_the_gateway_says_the_latest(system)


def _assert_the_gateway_says_the_latest(system: System) -> None:
    """Check the gateway, which was killed, against the topic: of each ticker the prediction that went furthest."""

    def newest() -> dict[str, str]:
        said = sorted((record.event() for record in system.broker.read(PREDICTIONS_LATEST)), key=order_of)
        return {prediction.ticker: prediction.id for prediction in said}

    def agree() -> bool:
        return system.latest() == newest()

    system.services["gateway"].wait_for(agree, what="the latest predictions at the gateway")


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


def _assert_all_that_matured_is_settled_and_scored(system: System, finals: dict[str, dict[str, Any]]) -> None:
    last_index = {final["ticker"]: 0 for final in finals.values()}
    for final in finals.values():
        last_index[final["ticker"]] = max(last_index[final["ticker"]], final["bar_index"])
    wanted = {
        outcome_id(final["ticker"], "1d", final["bar"].start_ns, horizon)
        for final in finals.values()
        for horizon in HORIZONS
        if final["bar_index"] + horizon <= last_index[final["ticker"]]
    }
    said = contents(system.wait_for_count(len(wanted), OUTCOMES))
    assert said.keys() == wanted
    scored = [outcome for outcome in said.values() if outcome["scored"]]
    dates = {horizon: {one["matured_ns"] for one in scored if one["horizon"] == horizon} for horizon in HORIZONS}
    wanted_dates = {horizon: len(theirs) for horizon, theirs in dates.items() if theirs}

    def pooled(records: list[Record]) -> list[Scoreboard]:
        return [record.event() for record in records if record.event().ticker == "*"]

    def all_told(records: list[Record]) -> bool:
        boards = pooled(records)
        return bool(boards) and {each.horizon: each.settled_dates for each in boards[-1].horizons} == wanted_dates

    newest = pooled(system.broker.read(SCORES, all_told, READ_SECONDS))[-1]
    assert set(wanted_dates) == set(HORIZONS)
    assert all(sum(each.weights.values()) == pytest.approx(1.0) for each in newest.horizons)


def _assert_no_tick_is_lost_or_doubled(system: System, bars: int) -> None:
    frames = [record.event() for record in system.broker.read(TICKS)]
    assert sum(len(frame.tickers) for frame in frames) == 4 * bars


#: What the socket says beside the prediction.
PLACE = {"type", "seq", "prev", "prev_final"}


def test_rest_websocket_and_kafka_give_the_same_prediction_for_the_same_id(make_system: MakeSystem) -> None:
    system = make_system(end=FAR_AWAY, speed=3, session_timeout_seconds=30)
    system.announce_models()
    system.start_all()
    url = f"ws://127.0.0.1:{system.gateway_port}/ws/predictions"
    system.services["gateway"].wait_for(lambda: system.answers("/predict/AAPL"), what="a prediction of AAPL")
    forecast = system.post("/predict", {"recent_prices": [100.0 + 0.1 * step for step in range(40)]})
    assert forecast["model_type"] == "arima"
    assert forecast["prediction"] == pytest.approx(103.9, rel=0.05)
    with connect(url) as socket:
        listener = Listener(socket)
        socket.send(json.dumps({"action": "subscribe", "tickers": ["*"]}))
        listener.hear_until(
            lambda by_id: {"AAPL", "FB", "GOOG", "IBM", "MSFT"} <= {p["ticker"] for p in by_id.values()}
        )
        assert system.services["ingestor"].stop() == 0
        by_rest = _last_word(system, listener)
    last_word = listener.by_id
    on_kafka = {record.event().id: record.event() for record in system.broker.read(PREDICTIONS_LATEST)}
    assert set(by_rest) <= set(last_word)
    for key, said in by_rest.items():
        assert {name: value for name, value in last_word[key].items() if name not in PLACE} == said
        event = on_kafka[key]
        assert said["current_price"] == event.current_price
        assert said["prediction"]["price_target"] == event.horizons[0].price_target
        assert [h["confidence"] for h in said["horizons"]] == [h.confidence for h in event.horizons]


class Listener:
    """A WebSocket client that remembers all predictions that it heard, by id."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.by_id: dict[str, Any] = {}

    def hear_until(self, holds: Callable[[dict[str, Any]], bool]) -> None:
        deadline = time.monotonic() + READ_SECONDS
        while not holds(self.by_id):
            assert time.monotonic() < deadline, f"not heard: {holds}; heard {list(self.by_id)[-20:]}"
            message = json.loads(self._socket.recv(READ_SECONDS))
            if message["type"] == "prediction":
                self.by_id[message["id"]] = message


def _last_word(system: System, listener: Listener) -> dict[str, Any]:
    """Give what REST says, by id, once the socket has said it all and REST says nothing newer."""
    before: dict[str, Any] = {}
    while (now := {said["id"]: said for said in system.get("/predictions")["predictions"]}) != before:
        listener.hear_until(frozenset(now).issubset)
        before = now
    return now


def test_a_second_start_continues_where_the_log_ends(make_system: MakeSystem) -> None:
    system = make_system(
        speed=0.2, session_timeout_seconds=30
    )  # slow, so that the first life is stopped long before the end
    bars = played_bars(START, END)
    count = sum(len(columns) for columns in bars.values())
    system.start_all()
    system.wait_for_count(count - 200, BARS)
    system.wait_until_all_listen()  # to a signal, too
    system.stop_all()
    before = system.broker.ends(TICKS)
    system.settings["speed"] = 0
    system.start_all()
    said = contents(system.wait_for_count(count, BARS))
    assert_bars_equal(said, bars)
    _assert_no_tick_is_lost_or_doubled(system, count)
    assert sum(system.broker.ends(TICKS).values()) > sum(before.values())
