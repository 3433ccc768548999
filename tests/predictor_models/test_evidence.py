"""What outcomes are read, and which dates of them are compared."""

import pytest

from predictor.training.evidence import live_window, read_live, read_shadow
from schemas.codec import encode
from schemas.errors import StopAndSayError
from schemas.events import Outcome
from schemas.topics import OUTCOMES
from tests.brokers import BrokerUnderTest
from tests.conftest import MakeBroker
from tests.predictor_models.examples import DAY_NS, manifest
from tests.predictor_models.live_outcomes import outcome, said, shadow

CHAMPION = manifest(model_set="set-old", train_end_ns=600 * DAY_NS)

CHALLENGER = manifest(model_set="set-new", train_end_ns=650 * DAY_NS)


def produce(broker: BrokerUnderTest, *outcomes: Outcome) -> None:
    for each in outcomes:
        broker.produce(OUTCOMES, each, key=each.ticker)


def told(outcomes: list[Outcome]) -> list[tuple[str, int, int]]:
    return [(each.ticker, each.as_of_ns // DAY_NS, each.horizon) for each in outcomes]


def test_what_counts_is_read_once_and_in_order(broker: BrokerUnderTest) -> None:
    apple, bee = outcome("AAA", 701, models={"forest": said(0.01)}), outcome("BBB", 700)
    produce(broker, apple, outcome("AAA", 701, predicted_log_return=0.7), bee)
    produce(broker, outcome("AAA", 702, scored=False, unscored_reason="warm_up"), outcome("AAA", 703, interval="1h"))
    broker.produce(OUTCOMES, b"{garbage", None, key="AAA")
    produce(broker, outcome("AAA", 704, horizon=5), outcome("AAA", 705, model_set="set-b"), outcome("AAA", 600))
    produce(broker, outcome("AAA", 705, id="a caller's", request_id="r"))
    found = read_live(broker.settings(), CHAMPION)
    assert told(found) == [("BBB", 700, 1), ("AAA", 701, 1), ("AAA", 704, 5)]
    assert found[1].predicted_log_return == apple.predicted_log_return, "the first record of an id counts"
    assert found[1].models == {}
    assert live_window(found, CHAMPION).dates == 2


def test_of_a_shadow_the_first_dates_are_read(kafka: BrokerUnderTest) -> None:
    shown = [outcome(day=day, **shadow("set-new", 0.01)) for day in range(700, 710)]
    produce(kafka, outcome(day=650), *shown, outcome(day=720, model_set="set-b", **shadow("set-new", 0.01)))
    found = read_shadow(kafka.settings(), CHAMPION, CHALLENGER, dates=3)
    assert told(found) == [("AAA", day, 1) for day in (700, 701, 702)]
    assert found[0].shadow == shown[0].shadow


def test_dates_that_lie_behind_any_number_of_others_are_found(make_kafka: MakeBroker) -> None:
    broker = make_kafka(partitions=1)
    produce(broker, outcome(day=700), outcome(day=701))
    for _ in range(3):
        broker.produce(OUTCOMES, *[encode(outcome(day=702, model_set="set-b"))] * 40_000, key="AAA")
    assert told(read_live(broker.settings(), CHAMPION)) == [("AAA", 700, 1), ("AAA", 701, 1)]


def test_an_empty_topic_has_no_outcomes_and_a_missing_one_is_said(kafka: BrokerUnderTest) -> None:
    assert read_live(kafka.settings(), CHAMPION) == []
    with pytest.raises(StopAndSayError, match="outcomes is missing"):
        read_live(kafka.settings(topic_prefix=f"{kafka.topic_prefix}other."), CHAMPION)


def test_the_last_dates_on_which_the_set_was_live_are_picked() -> None:
    days = [outcome(ticker, day) for day in range(700, 720) for ticker in ("AAA", "BBB")]
    window = live_window(days, CHAMPION, dates=5)
    assert (window.dates, window.first_ns) == (5, 716 * DAY_NS)
    assert window.outcomes == tuple(days[-10:])


def test_dates_on_which_another_set_served_are_passed_over() -> None:
    ours = [outcome(day=day) for day in (700, 701, 702, 710, 711)]
    others = [outcome(day=day, model_set="set-b") for day in range(703, 710)]
    window = live_window([*ours, *others], CHAMPION, dates=4)
    assert window.outcomes == tuple(ours[1:])
    in_shadow = [outcome(day=705, model_set="set-b", **shadow("set-old", 0.0))]
    assert live_window([*ours, *in_shadow], CHAMPION, dates=3).outcomes == (*ours[3:], *in_shadow)


def test_longer_horizons_are_those_that_ended_on_these_dates() -> None:
    long = [outcome(day=day, horizon=5) for day in range(700, 720)]
    window = live_window([*(outcome(day=day) for day in range(700, 715)), *long], CHAMPION, dates=3)
    assert [each.as_of_ns // DAY_NS for each in window.outcomes if each.horizon == 5] == [708, 709, 710]


def test_what_the_set_was_trained_on_or_does_not_count_is_not_live() -> None:
    strange = [
        outcome(day=600),
        outcome(day=700, scored=False),
        outcome(day=700, interval="1h"),
        outcome(day=700, horizon=3),
        outcome(day=700, volatility=0.0),
        outcome(day=700, model_set="statistical"),
    ]
    assert live_window(strange, CHAMPION).dates == 0
    assert live_window([*strange, outcome(day=601)], CHAMPION).dates == 1
