import re

import pytest

from schemas.topics import (
    ALL_TOPICS,
    BARS,
    DEAD_LETTERS,
    FEATURES,
    MODELS,
    OPEN_PREDICTIONS_CHANGELOG,
    PREDICTIONS_LATEST,
    SERVICE_STATUS,
    TICKER_STATES_CHANGELOG,
    TICKS,
    TOPICS,
    Cleanup,
    FoundTopic,
    Topic,
    partition_count,
    topic_problems,
)


def found(topics: tuple[Topic, ...], partitions: int = 4, prefix: str = "t.") -> dict[str, FoundTopic]:
    return {prefix + topic.name: FoundTopic(partition_count(topic, partitions), topic.cleanup) for topic in topics}


def problems(there: dict[str, FoundTopic], *, embedded: bool = False) -> list[str]:
    return topic_problems(ALL_TOPICS, there, prefix="t.", partitions=4, embedded=embedded)


def test_the_topics_are_those_of_the_design() -> None:
    assert [topic.name for topic in TOPICS] == [
        "ticks",
        "bars",
        "features",
        "predictions",
        "predictions-latest",
        "outcomes",
        "scores",
        "models",
        "model-commands",
        "source-commands",
        "forecast-requests",
        "forecasts",
        "service-status",
        "dead-letters",
    ]
    assert ALL_TOPICS[-1].name == "feature-stream-ticker-states-changelog"
    assert ALL_TOPICS[-2].name == "outcomes-open-predictions-changelog"


def test_names_are_such_as_kafka_allows_and_each_is_there_once() -> None:
    names = [topic.name for topic in ALL_TOPICS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z-]{1,100}", name) for name in names)
    assert all(topic.written_by and topic.description and topic.key for topic in ALL_TOPICS)


def test_ticks_stay_whatever_their_age_and_are_bounded_in_bytes() -> None:
    config = TICKS.config(1_000_000)
    assert config["cleanup.policy"] == "delete", "a compacted log of ticks has holes"
    assert config["retention.ms"] == "-1", "the ingestor resumes from the newest frames"
    assert config["retention.bytes"] == "1000000"


def test_only_what_the_design_bounds_is_bounded_in_bytes() -> None:
    bounded = {topic.name for topic in ALL_TOPICS if "retention.bytes" in topic.config(1)}
    assert bounded == {"ticks", "features", "predictions"}


@pytest.mark.parametrize(
    "topic",
    [PREDICTIONS_LATEST, SERVICE_STATUS, OPEN_PREDICTIONS_CHANGELOG, TICKER_STATES_CHANGELOG],
    ids=lambda t: t.name,
)
def test_compacted_topics_compact_soon(topic: Topic) -> None:
    assert topic.config(1) == {
        "cleanup.policy": "compact",
        "segment.bytes": "16777216",
        "segment.ms": "600000",
        "min.cleanable.dirty.ratio": "0.1",
        "min.compaction.lag.ms": "120000" if topic is PREDICTIONS_LATEST else "0",
    }
    assert {other.name for other in ALL_TOPICS if other.cleanup is Cleanup.COMPACT} == {
        "predictions-latest",
        "service-status",
        OPEN_PREDICTIONS_CHANGELOG.name,
        TICKER_STATES_CHANGELOG.name,
    }


def test_ages_are_those_of_the_design() -> None:
    day_ms = 24 * 3_600 * 1_000
    ages = {t.name: t.retention_ms // day_ms for t in ALL_TOPICS if t.retention_ms is not None}
    assert ages == {
        "features": 7,
        "predictions": 30,
        "scores": 7,
        "model-commands": 7,
        "source-commands": 7,
        "forecast-requests": 1,
        "forecasts": 7,  # of daily bars they are settled after a long weekend, and a restart in it
        "dead-letters": 30,
    }
    assert BARS.config(1)["retention.ms"] == "-1"


def test_topics_keyed_by_ticker_have_the_partitions_of_ticks_and_others_one() -> None:
    for topic in ALL_TOPICS:
        assert partition_count(topic, 7) == (7 if topic is TICKS or topic.key.startswith("ticker") else 1)


def test_the_kafka_door_has_cloud_events_headers() -> None:
    assert {topic.name for topic in TOPICS if topic.cloud_events} >= {
        "bars",
        "features",
        "predictions",
        "predictions-latest",
        "outcomes",
        "scores",
    }


def test_a_broker_that_has_everything_has_no_problems() -> None:
    assert problems(found(ALL_TOPICS)) == []


def test_what_is_wrong_is_said_with_the_fix() -> None:
    there = found(ALL_TOPICS)
    del there["t.bars"]
    there["t.features"] = FoundTopic(8, FEATURES.cleanup)
    there["t.models"] = FoundTopic(4, MODELS.cleanup)
    there["t.predictions-latest"] = FoundTopic(4, "delete")
    assert problems(there) == [
        "topic t.bars is missing: create the topics with `tickcast topics`",
        "topic t.features has 8 partitions, not 4: set TICKCAST_PARTITIONS to what it was made with, "
        "or start with another TICKCAST_TOPIC_PREFIX",
        "topic t.predictions-latest has cleanup.policy 'delete', not 'compact': set it",
        "topic t.models has 4 partitions, not 1: set TICKCAST_PARTITIONS to what it was made with, "
        "or start with another TICKCAST_TOPIC_PREFIX",
    ]


def test_topics_of_another_prefix_do_not_count() -> None:
    assert len(problems(found(ALL_TOPICS, prefix="other."))) == len(ALL_TOPICS)


def test_on_the_embedded_broker_only_a_missing_topic_counts() -> None:
    there = {"t." + topic.name: FoundTopic(4, None) for topic in ALL_TOPICS}
    assert problems(there, embedded=True) == []
    del there["t.dead-letters"]
    assert problems(there, embedded=True) == [
        f"topic t.{DEAD_LETTERS.name} is missing: create the topics with `tickcast topics`"
    ]


def test_a_cleanup_that_the_broker_cannot_tell_is_no_problem() -> None:
    there = {name: FoundTopic(topic.partitions, None) for name, topic in found(ALL_TOPICS).items()}
    assert problems(there) == []
