"""What the predictor knows of `models` and `scores`."""

from collections.abc import Iterator

import pytest
from msgspec import structs

from predictor.model_feed import ModelFeed
from predictor.saving import model_event
from predictor.settings import PredictorSettings
from schemas.broker import wait_until
from schemas.events import ModelAction, ModelEvent, Scoreboard
from tests.brokers import BrokerUnderTest
from tests.predictor.forecasters import Momentum, a_set


@pytest.fixture
def feed(broker: BrokerUnderTest) -> Iterator[ModelFeed]:
    feed = ModelFeed(broker.settings(PredictorSettings))
    yield feed
    feed.close()


def decision(name: str, decided_at_ns: int) -> ModelEvent:
    model_set = a_set([Momentum("forest", 1.0)], [1.0], name=name)
    return model_event(model_set.manifest, model_set.folder, ModelAction.TRAINED, "test", "", decided_at_ns)


def scoreboard(ticker: str, through_ns: int) -> Scoreboard:
    return Scoreboard(
        id=f"{ticker}:{through_ns}",
        ticker=ticker,
        interval="1d",
        model_set="set-a",
        bar_index=through_ns,
        through_ns=through_ns,
        horizons=[],
        weights_version="prior",
        intervals_version="holdout",
        source_partition=0,
        source_offset=through_ns,
        updated_at_ns=0,
    )


def test_empty_topics_are_read_to_their_ends_at_once(feed: ModelFeed) -> None:
    feed.read_to_ends(lambda: False)
    assert feed.poll() is None


def test_of_many_decisions_the_newest_holds_and_is_told_once(broker: BrokerUnderTest, feed: ModelFeed) -> None:
    # On the embedded broker these lie on four partitions.
    for number in range(12):
        broker.produce("models", decision(f"set-{number}", number), key=f"set-{number}")
    feed.read_to_ends(lambda: False)
    told = feed.poll()
    assert told is not None
    assert told.serving == "set-11"
    assert feed.poll() is None


def test_within_a_partition_the_log_decides_and_the_decisions_before_are_known(
    broker: BrokerUnderTest, feed: ModelFeed
) -> None:
    for name, decided_at_ns in (("set-a", 7), ("set-b", 3)):
        broker.produce("models", decision(name, decided_at_ns), key="one partition")
    feed.read_to_ends(lambda: False)
    told = feed.poll()
    assert told is not None
    assert (told.serving, [event.serving for event in feed.earlier()]) == ("set-b", ["set-a"])


def test_later_decisions_are_followed(broker: BrokerUnderTest, feed: ModelFeed) -> None:
    broker.produce("models", decision("set-a", 1), key="set-a")
    feed.read_to_ends(lambda: False)
    feed.poll()
    later = structs.replace(decision("set-a", 2), serving=None, location=None, action=ModelAction.UNLOADED, id="unload")
    broker.produce("models", later, key="set-a")
    told: list[ModelEvent | None] = []

    def came() -> bool:
        told.append(feed.poll())
        return told[-1] is not None

    wait_until(came, seconds=60, what="the decision")
    assert told[-1] == later


def test_the_newest_scoreboard_of_each_ticker_is_kept(broker: BrokerUnderTest, feed: ModelFeed) -> None:
    for through_ns in (1, 2):
        for ticker in ("AAPL", "*"):
            broker.produce("scores", scoreboard(ticker, through_ns), key=ticker)
    feed.read_to_ends(lambda: False)
    assert {ticker: board.through_ns for ticker, board in feed.scores.items()} == {"AAPL": 2, "*": 2}


def test_reading_ends_when_told_to_stop(feed: ModelFeed) -> None:
    feed.read_to_ends(lambda: True)
    assert feed.scores == {}
