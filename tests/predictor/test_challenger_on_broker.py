"""A challenger beside the set that serves, on a broker: what is said, swapped, left out, settled and scored."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from predictor.artifacts import ModelSet
from predictor.shadow import place_of
from schemas.broker import wait_until
from schemas.events import Bar, Features, Outcome, Prediction, Scoreboard, ServiceState
from schemas.identity import bar_id
from schemas.partitioning import partition_of
from tests.brokers import BrokerUnderTest, Record
from tests.predictor.feature_events import final
from tests.predictor.forecasters import Momentum, Raising, a_set
from tests.predictor.running import RunningPredictor, announce, running
from tests.processes import Processes

pytestmark = pytest.mark.integration

TICKERS = ("AAPL", "GOOG", "IBM", "MSFT", "YHOO", "ORCL")
CHAMPION = a_set([Momentum("forest", 0.5), Momentum("lstm", 0.2)], [0.4, 0.6])
CHALLENGER = a_set([Momentum("forest", 0.9), Momentum("lstm", 0.1)], [0.4, 0.6], name="set-b")


def send(broker: BrokerUnderTest, days: Sequence[int]) -> list[Features]:
    events = [final(ticker, day=day) for day in days for ticker in TICKERS]
    for event in events:
        broker.produce("features", event, key=event.ticker)
    return events


def said_of(broker: BrokerUnderTest, events: Sequence[Features]) -> dict[str, Prediction]:
    """Give the predictions of these events, each of which has exactly one."""
    wanted = {event.id for event in events}

    def all_are_there(records: list[Record]) -> bool:
        return wanted <= {record.event().feature_id for record in records}

    made = [record.event() for record in broker.read("predictions", all_are_there)]
    assert len({each.feature_id for each in made}) == len(made), "one prediction of each event"
    return {each.feature_id: each for each in made if each.feature_id in wanted}


def shows(predictor: RunningPredictor, model_set: ModelSet | None) -> Callable[[], bool]:
    return lambda: predictor.worker.challenger.current is model_set


def test_a_challenger_rides_beside_the_served_predictions_and_changes_none_of_them(broker: BrokerUnderTest) -> None:
    announce(broker, CHAMPION, challenger="set-b")
    with running(broker, CHAMPION, CHALLENGER) as predictor:
        wait_until(shows(predictor, CHALLENGER), seconds=60, what="the challenger")
        said = said_of(broker, send(broker, range(3)))
        wait_until(lambda: predictor.board.state is ServiceState.READY, seconds=60, what="being ready")
        wait_until(
            lambda: predictor.board.event().message == "model set set-a; beside it set-b", seconds=60, what="its word"
        )
    for prediction in said.values():
        assert (prediction.model_set, prediction.degraded, prediction.shadow_model_set) == ("set-a", None, "set-b")
        assert [model.name for model in prediction.shadow or ()] == ["ensemble", "forest", "lstm"]


def test_sets_are_swapped_in_every_way_and_no_event_is_left_without_its_one_prediction(broker: BrokerUnderTest) -> None:
    third = a_set([Momentum("forest", 0.3), Momentum("lstm", 0.3)], [0.4, 0.6], name="set-c")
    decisions: list[tuple[ModelSet, dict[str, Any]]] = [
        (CHAMPION, {"challenger": "set-b"}),
        (CHAMPION, {"challenger": "set-b", "challenger_share": 0.5}),
        (CHALLENGER, {"challenger": "set-a"}),
        (CHALLENGER, {"challenger": "set-gone"}),
        (third, {"challenger": "set-b"}),
        (third, {}),
        (CHAMPION, {"serving": None, "challenger": "set-b"}),
        (CHAMPION, {"challenger": "set-c"}),
    ]
    events: list[Features] = []
    done = threading.Event()

    def go_on() -> None:
        for day in range(400):
            if done.is_set() and day >= 40:
                return
            events.extend(send(broker, [day]))

    with running(broker, CHAMPION, CHALLENGER, third) as predictor:
        predictor.wait_until_caught_up()
        feeding = threading.Thread(target=go_on)
        feeding.start()
        for number, (model_set, changes) in enumerate(decisions, start=1):
            announce(broker, model_set, now_ns=number, **changes)
            serving = None if "serving" in changes else model_set
            wait_until(lambda: predictor.worker.serving.current is serving, seconds=60, what="swap")  # noqa: B023
        wait_until(shows(predictor, third), seconds=60, what="the last challenger")
        done.set()
        feeding.join()
        said = said_of(broker, events)
        last = said_of(broker, send(broker, [400]))
    assert said.keys() == {event.id for event in events}
    assert {(each.model_set, each.shadow_model_set) for each in last.values()} == {("set-a", "set-c")}
    assert {each.degraded for each in said.values()} <= {None, "untrained"}


def test_a_challenger_that_fails_or_cannot_be_loaded_is_left_out_and_the_predictor_is_ready(
    broker: BrokerUnderTest,
) -> None:
    broken = a_set([Raising("forest", 1.0)], [1.0], name="set-b")
    announce(broker, CHAMPION, challenger="set-b")
    with running(broker, CHAMPION, broken) as predictor:
        wait_until(shows(predictor, broken), seconds=60, what="the challenger")
        said = list(said_of(broker, send(broker, [0])).values())
        announce(broker, CHAMPION, now_ns=2, challenger="set-gone")
        left_out = "model set set-a; the challenger is left out: model set set-gone is not there"
        wait_until(lambda: predictor.board.event().message == left_out, seconds=60, what="its word")
        said += said_of(broker, send(broker, [1])).values()
        assert predictor.board.state is ServiceState.READY
    assert {(each.model_set, each.degraded, each.shadow) for each in said} == {("set-a", None, None)}


def test_a_promoted_challenger_serves_without_being_loaded_again(broker: BrokerUnderTest) -> None:
    announce(broker, CHAMPION, challenger="set-b")
    with running(broker, CHAMPION, CHALLENGER) as predictor:
        wait_until(shows(predictor, CHALLENGER), seconds=60, what="the challenger")
        predictor.forget("set-b")
        announce(broker, CHALLENGER, now_ns=2)
        wait_until(lambda: predictor.worker.serving.current is CHALLENGER, seconds=60, what="the promotion")
        assert predictor.worker.challenger.current is None


def test_an_old_set_says_that_it_is_stale_and_is_ready(broker: BrokerUnderTest) -> None:
    announce(broker, CHAMPION)
    with running(broker, CHAMPION) as predictor:
        said = said_of(broker, send(broker, [0, 800]))
        wait_until(
            lambda: predictor.board.event().message == "model set set-a is stale: retrain_recommended",
            seconds=60,
            what="its word",
        )
        assert predictor.board.state is ServiceState.READY
    assert {(each.bar_index, each.degraded) for each in said.values()} == {
        (100, None),
        (900, "stale: retrain_recommended"),
    }


def bar_of(event: Features) -> Bar:
    """Give the bar that a final event closes."""
    return Bar(
        id=bar_id(event.ticker, "1d", event.bar.start_ns),
        ticker=event.ticker,
        interval="1d",
        start_ns=event.bar.start_ns,
        end_ns=event.as_of_ns,
        open=event.current_price,
        high=event.current_price,
        low=event.current_price,
        close=event.current_price,
        volume=1.0,
        tick_count=1,
        bar_index=event.bar_index,
        source="s",
        source_partition=partition_of(event.ticker, 4),
        source_offset=event.source_offset,
        ingested_at_ns=0,
        closed_at_ns=0,
    )


def test_what_two_sets_have_said_is_settled_and_scored_side_by_side(
    kafka: BrokerUnderTest, processes: Processes
) -> None:
    share = sorted(place_of(ticker, "set-b") for ticker in TICKERS)[2]  # of six tickers the challenger is served on two
    announce(kafka, CHAMPION, challenger="set-b", challenger_share=share)
    processes.start("feature_stream.outcomes", environment=kafka.environment(interval="1d"))
    days = range(8)
    with running(kafka, CHAMPION, CHALLENGER) as predictor:
        wait_until(shows(predictor, CHALLENGER), seconds=60, what="the challenger")
        events = send(kafka, days)
        said = said_of(kafka, events)
    for event in events:
        kafka.produce("bars", bar_of(event), key=event.ticker)
    wanted = len(TICKERS) * (7 + 3)  # of eight days, at one bar and at five
    outcomes = [record.event() for record in kafka.read("outcomes", lambda records: len(records) >= wanted)]
    assert len(outcomes) == wanted
    assert {(each.ticker, each.model_set, each.shadow_model_set) for each in outcomes} == {
        (ticker, *(("set-b", "set-a") if place_of(ticker, "set-b") < share else ("set-a", "set-b")))
        for ticker in TICKERS
    }
    for outcome in outcomes:
        its = said[f"{outcome.ticker}:1d:{outcome.id.split(':', 2)[2].rsplit(':', 1)[0]}:final"]
        at = [each.horizon for each in its.horizons].index(outcome.horizon)
        assert outcome.shadow == {model.name: model.horizons[at] for model in its.shadow or ()}
        assert outcome.scored
    boards = kafka.read("scores", lambda records: _is_scored(records, outcomes))
    (pooled,) = [record.event() for record in boards if record.event().ticker == "*"][-1:]
    for score in pooled.horizons:
        theirs = {name: [each for each in outcomes if each.shadow_model_set == name] for name in ("set-a", "set-b")}
        for name, shown in theirs.items():
            at_horizon = [each for each in shown if each.horizon == score.horizon]
            errors = [(each.shadow["ensemble"].log_return - each.actual_log_return) ** 2 for each in at_horizon]
            assert score.shadow[name].count == len(at_horizon)
            root = (sum(errors) / len(errors)) ** 0.5
            assert score.shadow[name].root_mean_squared_error == pytest.approx(root, rel=1e-6)


def _is_scored(records: list[Record], outcomes: list[Outcome]) -> bool:
    boards: list[Scoreboard] = [record.event() for record in records if record.event().ticker == "*"]
    if not boards:
        return False
    counts = {score.horizon: score.ensemble.count for score in boards[-1].horizons}
    return counts == {horizon: sum(each.horizon == horizon for each in outcomes) for horizon in (1, 5)}
