"""The worker on a broker: what is said, what is committed, what survives."""

import re
import time
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import pytest
from msgspec import structs

from predictor.artifacts import ModelSet
from predictor.publisher import DeliveryError
from predictor.reader import PlaceLostError
from schemas.broker import wait_until
from schemas.codec import encode, event_headers
from schemas.events import Features, Prediction, ServiceState
from tests.brokers import BrokerUnderTest, Record
from tests.predictor.boards import weights_board, widths_board
from tests.predictor.feature_events import before_any_bar, final, provisional_after
from tests.predictor.forecasters import Momentum, Raising, a_set
from tests.predictor.running import RunningPredictor, announce, committed_records, running

TICKERS = ("AAPL", "GOOG", "IBM", "MSFT")
TRACE = "00-11111111111111111111111111111111-2222222222222222-01"
PAIR = a_set([Momentum("forest", 0.5), Momentum("lstm", -0.2)], [0.4, 0.6])


def send(broker: BrokerUnderTest, events: Sequence[Features]) -> None:
    for event in events:
        headers = event_headers("Features", "test", event.id, 1, TRACE)
        broker.produce("features", event, key=event.ticker, headers=headers)


def finals(days: Sequence[int]) -> list[Features]:
    return [final(ticker, day=day) for day in days for ticker in TICKERS]


def predictions(records: Sequence[Record]) -> list[Prediction]:
    return [record.event() for record in records]


def content(prediction: Prediction) -> Prediction:
    return structs.replace(prediction, predicted_at_ns=0)


def test_every_final_event_gets_its_prediction_on_both_topics_with_its_trace(broker: BrokerUnderTest) -> None:
    events = finals(range(5))
    send(broker, events)
    with running(broker) as predictor:
        said = broker.read("predictions", until=len(events))
        latest = broker.read("predictions-latest", until=len(events))
        wait_until(lambda: committed_records(broker) == len(events), seconds=60, what="the commit")
        wait_until(
            lambda: predictor.counted("tickcast_predictions_total", kind="final") == len(events),
            seconds=60,
            what="the count",  # it follows the commit
        )
    assert {each.feature_id for each in predictions(said)} == {event.id for event in events}
    assert sorted(record.value or b"" for record in said) == sorted(record.value or b"" for record in latest)
    for record in said:
        prediction: Prediction = record.event()
        assert record.key == prediction.ticker.encode()
        assert record.headers["ce_id"] == prediction.id.encode()
        assert record.headers["ce_type"] == b"tickcast.Prediction"
        assert record.headers["traceparent"] == TRACE.encode()


def test_provisional_predictions_stay_out_of_predictions(broker: BrokerUnderTest) -> None:
    closed = final()
    moved = provisional_after(closed, price=closed.current_price * 1.01)
    with running(broker) as predictor:
        predictor.wait_until_caught_up()
        send(broker, [closed, moved, before_any_bar()])
        latest = predictions(broker.read("predictions-latest", until=_has(moved.id, before_any_bar().id)))
        wait_until(lambda: committed_records(broker) == 3, seconds=60, what="the commit")
        said = predictions(broker.read("predictions"))
    assert [each.feature_id for each in said] == [closed.id]
    assert {each.feature_id for each in latest if each.provisional} == {moved.id, before_any_bar().id}


def _has(*feature_ids: str) -> Any:
    return lambda records: set(feature_ids) <= {each.feature_id for each in predictions(records)}


def test_a_set_announced_before_the_start_answers_the_first_event(broker: BrokerUnderTest) -> None:
    announce(broker, PAIR)
    send(broker, finals([0]))
    with running(broker, PAIR):
        said = predictions(broker.read("predictions", until=len(TICKERS)))
    assert {(each.model_set, each.degraded) for each in said} == {("set-a", None)}
    assert [len(each.models) for each in said] == [2] * len(TICKERS)


def test_a_set_announced_while_running_is_swapped_in_place(broker: BrokerUnderTest) -> None:
    newer = a_set([Momentum("forest", 0.7), Momentum("lstm", 0.1)], [0.4, 0.6], name="set-b")
    with running(broker, PAIR, newer) as predictor:
        predictor.wait_until_caught_up()
        assert predictor.board.event().message == "untrained: the statistical forecaster answers"
        for day, (model_set, degraded) in enumerate(((None, "untrained"), (PAIR, None), (newer, None))):
            if model_set is not None:
                announce(broker, model_set, now_ns=day)
                wait_until(_serves(predictor, model_set), seconds=60, what="swap")
            send(broker, finals([day]))
            said = predictions(broker.read("predictions", until=(day + 1) * len(TICKERS)))
            name = "statistical" if model_set is None else model_set.manifest.model_set
            ours = [each for each in said if each.bar_index == 100 + day]
            assert {(each.model_set, each.degraded) for each in ours} == {(name, degraded)}
        wait_until(lambda: predictor.board.state is ServiceState.READY, seconds=60, what="being ready")
        wait_until(
            lambda: predictor.counted("tickcast_model_swaps_total") == 2,
            seconds=60,
            what="the count",  # it follows the swap
        )


def _serves(predictor: RunningPredictor, model_set: ModelSet) -> Callable[[], bool]:
    return lambda: predictor.worker.serving.current is model_set


def test_an_announced_set_that_is_not_there_is_said_in_the_status(broker: BrokerUnderTest) -> None:
    announce(broker, a_set([Momentum("forest", 0.7)], [1.0], name="set-gone"), now_ns=2)
    with running(broker, PAIR) as predictor:
        predictor.wait_until_caught_up()
        refusal = "model set set-gone is not there"
        assert predictor.board.event().message == f"{refusal}: the statistical forecaster answers"
        announce(broker, PAIR, now_ns=3)
        wait_until(lambda: predictor.board.state is ServiceState.READY, seconds=60, what="being ready")
        announce(broker, a_set([Momentum("forest", 0.7)], [1.0], name="set-gone"), now_ns=4)
        wait_until(lambda: predictor.board.state is ServiceState.DEGRADED, seconds=60, what="the refusal")
        assert predictor.board.event().message == f"{refusal}; keeping model set set-a"


def test_garbage_goes_to_dead_letters_and_the_stream_goes_on(broker: BrokerUnderTest) -> None:
    good = finals([0])
    bad: list[tuple[bytes | None, str]] = [
        (b"\xff\x00 no json", "Features"),
        (encode(good[0])[:200], "Features"),
        (encode(structs.replace(good[0], current_price=-1.0)), "current_price"),
        (b'{"ticker": "AAPL"}', "missing required field"),
        (None, "empty"),
        (encode(structs.replace(good[0], id="x" * 500_000)), "id is longer than 200 characters"),
        (b"x" * 950_000, "malformed"),
    ]
    for value, _ in bad:
        broker.produce("features", value, key="AAPL")
    send(broker, good)
    with running(broker) as predictor:
        said = predictions(broker.read("predictions", until=len(good)))
        letters = broker.read("dead-letters", until=len(bad))
        wait_until(lambda: committed_records(broker) == len(good) + len(bad), seconds=60, what="the commit")
        wait_until(
            lambda: predictor.counted("tickcast_dead_letters_total", reason="undecodable") == len(bad),
            seconds=60,
            what="the count",
        )
    assert {each.feature_id for each in said} == {event.id for event in good}
    reasons = {letter.value: letter.headers["dead_letter_reason"].decode() for letter in letters}
    for value, reason in bad:
        assert reason in reasons[(value or b"")[: 900_000 - len("AAPL")]]
    assert {letter.headers["dead_letter_origin"] for letter in letters} == {b"features"}
    assert {letter.key for letter in letters} == {b"AAPL"}


def test_a_trace_that_is_not_one_is_not_carried_on(broker: BrokerUnderTest) -> None:
    broker.produce("features", final(), key="AAPL", headers=[("traceparent", b"\xff" * 400_000)])
    with running(broker):
        (said,) = broker.read("predictions", until=1)
    assert re.fullmatch(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-00", said.headers["traceparent"])


def test_a_failing_member_degrades_and_the_rest_carry_on(broker: BrokerUnderTest) -> None:
    broken = a_set([Momentum("forest", 0.5), Raising("lstm", 1.0)], [0.4, 0.6])
    announce(broker, broken)
    send(broker, finals([0]))
    with running(broker, broken) as predictor:
        said = predictions(broker.read("predictions", until=len(TICKERS)))
        wait_until(lambda: predictor.board.event().message == "model set set-a without lstm", seconds=60, what="status")
        wait_until(
            lambda: predictor.counted("tickcast_predictions_degraded_total", reason="without lstm") == len(TICKERS),
            seconds=60,
            what="the count",
        )
    assert {each.degraded for each in said} == {"without lstm"}
    assert {tuple(model.name for model in each.models) for each in said} == {("forest",)}


def test_a_death_between_saying_and_committing_says_the_same_again(broker: BrokerUnderTest) -> None:
    announce(broker, PAIR)
    events = finals([0, 1])
    send(broker, events)

    def die(*_: object) -> NoReturn:
        raise SystemExit(9)

    def doomed(predictor: RunningPredictor) -> None:
        predictor.worker.publisher.wait = _after(predictor.worker.publisher.wait, die)  # type: ignore[method-assign]

    with running(broker, PAIR, before=doomed) as predictor:
        predictor.wait_until_dead()
    first = predictions(broker.read("predictions"))
    assert first
    assert committed_records(broker) == 0
    with running(broker, PAIR):
        both = predictions(broker.read("predictions", until=len(first) + len(events)))
    by_id: dict[str, Prediction] = {}
    for prediction in both:
        assert content(by_id.setdefault(prediction.id, prediction)) == content(prediction)
    assert {each.feature_id for each in both} == {event.id for event in events}
    assert len(by_id) == len(events)


def _after(call: Any, then: Any) -> Any:
    def both(*arguments: Any) -> Any:
        call()
        return then(*arguments)

    return both


def test_a_prediction_that_the_broker_does_not_take_ends_the_worker_with_nothing_committed(
    broker: BrokerUnderTest,
) -> None:
    send(broker, finals([0]))

    def refuse() -> None:
        raise DeliveryError("the broker did not take a record")

    def refused(predictor: RunningPredictor) -> None:
        predictor.worker.publisher.wait = refuse  # type: ignore[method-assign]

    with running(broker, before=refused) as predictor:
        assert isinstance(predictor.wait_until_dead(), DeliveryError)
    assert committed_records(broker) == 0


def test_who_stood_still_for_longer_than_the_session_says_nothing_and_begins_again(
    broker: BrokerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("predictor.reader.PLACE_SECONDS", 0.5)
    send(broker, finals([0]))

    def stopped(predictor: RunningPredictor) -> None:
        predict = predictor.worker._predict
        predictor.worker._predict = _after(lambda: time.sleep(0.6), predict)  # type: ignore[method-assign]

    with running(broker, before=stopped) as predictor:
        assert isinstance(predictor.wait_until_dead(), PlaceLostError)
    assert broker.read("predictions-latest") == []
    assert committed_records(broker) == 0


def test_a_second_predictor_takes_over_its_share_and_nothing_is_left_unanswered(broker: BrokerUnderTest) -> None:
    with running(broker) as first:
        first.wait_until_caught_up()
        send(broker, finals(range(3)))
        with running(broker) as second:
            second.wait_until_caught_up()
            send(broker, finals(range(3, 6)))
            broker.read("predictions", until=_has(*(event.id for event in finals(range(6)))))
        send(broker, finals(range(6, 9)))
        said = predictions(broker.read("predictions", until=_has(*(event.id for event in finals(range(9))))))
    by_id: dict[str, Prediction] = {}
    for prediction in said:
        assert content(by_id.setdefault(prediction.id, prediction)) == content(prediction)


def test_boards_are_applied_from_the_time_through_which_they_know(broker: BrokerUnderTest) -> None:
    announce(broker, PAIR)
    through_ns = finals([1])[0].as_of_ns
    broker.produce("scores", weights_board(through_ns, {"forest": 0.9, "lstm": 0.1}), key="*")
    broker.produce("scores", widths_board("IBM", through_ns, (2.0, 2.0)), key="IBM")
    broker.produce("scores", weights_board(through_ns + 1, {"forest": 0.9, "lstm": 0.9}), key="*")
    send(broker, finals([0, 1]))
    with running(broker, PAIR):
        said = predictions(broker.read("predictions", until=2 * len(TICKERS)))
    versions = {(each.ticker, each.as_of_ns): (each.weights_version, each.intervals_version) for each in said}
    for ticker in TICKERS:
        assert versions[ticker, finals([0])[0].as_of_ns] == ("prior", "holdout")
        of_ticker = f"IBM-{through_ns}" if ticker == "IBM" else "holdout"
        assert versions[ticker, through_ns] == (f"weights-{through_ns}", of_ticker)


def test_a_member_that_is_only_shown_is_not_missed_when_it_fails(broker: BrokerUnderTest) -> None:
    shown = a_set([Momentum("forest", 0.5), Momentum("lstm", -0.2), Raising("naive", 1.0)], [0.4, 0.6, 0.0])
    announce(broker, shown)
    send(broker, finals([0]))
    with running(broker, shown) as predictor:
        said = predictions(broker.read("predictions", until=len(TICKERS)))
        wait_until(
            lambda: predictor.board.event().message == "model set set-a without naive", seconds=60, what="status"
        )
        assert predictor.board.state is ServiceState.READY
    assert {each.degraded for each in said} == {None}


@pytest.mark.parametrize("value", [b"no json", b'{"serving": 3}'])
def test_a_garbage_decision_changes_nothing(embedded: BrokerUnderTest, value: bytes) -> None:
    announce(embedded, PAIR)
    embedded.produce("models", value, key="set-z")
    embedded.produce("scores", value, key="*")
    send(embedded, finals([0]))
    with running(embedded, PAIR):
        said = predictions(embedded.read("predictions", until=len(TICKERS)))
    assert {each.model_set for each in said} == {"set-a"}
