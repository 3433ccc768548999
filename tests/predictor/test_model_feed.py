"""What the predictor knows of `models` and `scores`."""

import re
from collections.abc import Iterator

import pytest
from msgspec import structs

from predictor.model_feed import ModelFeed
from predictor.saving import model_event
from predictor.settings import PredictorSettings
from schemas.broker import wait_until
from schemas.events import ModelAction, ModelEvent
from tests.brokers import BrokerUnderTest
from tests.predictor.boards import weights_board, widths_board
from tests.predictor.forecasters import Momentum, a_set


@pytest.fixture
def feed(broker: BrokerUnderTest) -> Iterator[ModelFeed]:
    feed = ModelFeed(broker.settings(PredictorSettings))
    yield feed
    feed.close()


def decision(name: str, decided_at_ns: int) -> ModelEvent:
    model_set = a_set([Momentum("forest", 1.0)], [1.0], name=name)
    return model_event(model_set.manifest, model_set.folder, ModelAction.TRAINED, "test", "", decided_at_ns)


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


def test_the_scoreboards_of_each_ticker_are_kept(broker: BrokerUnderTest, feed: ModelFeed) -> None:
    for through_ns in (1, 2):
        broker.produce("scores", weights_board(through_ns, {"forest": 1.0}), key="*")
        broker.produce("scores", widths_board("AAPL", through_ns, (2.0, 3.0)), key="AAPL")
    feed.read_to_ends(lambda: False)
    for as_of_ns in (1, 2):
        weights, widths = feed.boards.weights(as_of_ns), feed.boards.widths("AAPL", as_of_ns)
        assert weights is not None
        assert widths is not None
        assert (weights.version, widths.version) == (f"weights-{as_of_ns}", f"AAPL-{as_of_ns}")


def test_a_scoreboard_that_cannot_be_is_said_in_one_line_and_passed_over(
    broker: BrokerUnderTest, feed: ModelFeed, caplog: pytest.LogCaptureFixture
) -> None:
    broker.produce("scores", weights_board(1, {"forest": 1.0}), key="*")
    broker.produce("scores", weights_board(2, {"forest": 0.7}), key="*")
    feed.read_to_ends(lambda: False)
    weights = feed.boards.weights(9)
    assert weights is not None
    assert weights.version == "weights-1"
    (line,) = [record.getMessage() for record in caplog.records if record.name == "predictor.model_feed"]
    assert re.fullmatch(r"passed over .*scores:\d+:\d+: Scoreboard: weights of horizon 1 are .*", line)


def test_reading_ends_when_told_to_stop(feed: ModelFeed) -> None:
    feed.read_to_ends(lambda: True)
    assert feed.boards.weights(9) is None


def test_of_many_boards_only_the_newest_are_read_at_a_start(
    broker: BrokerUnderTest, feed: ModelFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("predictor.model_feed.BOARDS_READ", 2)
    for through_ns in range(1, 6):
        broker.produce("scores", widths_board("AAPL", through_ns, (2.0, 3.0)), key="AAPL")
    feed.read_to_ends(lambda: False)
    assert feed.boards.widths("AAPL", 3) is None
    assert feed.boards.widths("AAPL", 4) is not None
