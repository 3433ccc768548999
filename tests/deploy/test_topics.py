"""Topics are made from the table, and what is there is checked."""

from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from deploy.topics import create_topics
from schemas.broker import require_topics, wait_until
from schemas.errors import StopAndSayError
from schemas.settings import Settings
from schemas.topics import ALL_TOPICS, BARS, MODELS, PREDICTIONS_LATEST, TICKER_STATES_CHANGELOG, partition_count
from tests.brokers import BrokerUnderTest
from tests.conftest import MakeBroker
from tests.processes import free_port


def _admin(broker: BrokerUnderTest) -> AdminClient:
    return AdminClient({"bootstrap.servers": broker.bootstrap_servers})


def _make(broker: BrokerUnderTest, name: str, partitions: int, **config: str) -> None:
    new = NewTopic(
        broker.topic_prefix + name,
        num_partitions=partitions,
        replication_factor=1,
        config={key.replace("_", "."): value for key, value in config.items()},
    )
    admin = _admin(broker)  # its answers end with it
    for future in admin.create_topics([new]).values():
        future.result()
    wait_until(lambda: new.topic in admin.list_topics(timeout=60).topics, seconds=60, what="the news of the topic")


def _ours(broker: BrokerUnderTest) -> dict[str, int]:
    there = _admin(broker).list_topics(timeout=60).topics
    return {name: len(t.partitions) for name, t in there.items() if name.startswith(broker.topic_prefix)}


def test_every_topic_of_the_table_is_made_changelog_included(broker: BrokerUnderTest) -> None:
    assert set(_ours(broker)) == {broker.topic_prefix + topic.name for topic in ALL_TOPICS}
    assert broker.full_name(TICKER_STATES_CHANGELOG) == (
        f"{broker.topic_prefix}feature-stream-ticker-states-changelog"  # as Faust names it
    )


def test_a_second_call_makes_nothing(broker: BrokerUnderTest) -> None:
    assert broker.create_topics() == []


def test_on_kafka_partitions_and_configuration_are_the_table_s(make_kafka: MakeBroker) -> None:
    kafka = make_kafka(partitions=3, topic_retention_bytes=2_000_000)
    admin = _admin(kafka)
    counts = _ours(kafka)
    asked = admin.describe_configs([ConfigResource("topic", kafka.full_name(topic)) for topic in ALL_TOPICS])
    found: dict[str, Any] = {resource.name: future.result() for resource, future in asked.items()}
    for topic in ALL_TOPICS:
        name = kafka.full_name(topic)
        assert counts[name] == partition_count(topic, 3)
        wanted = topic.config(2_000_000)
        assert {key: found[name][key].value for key in wanted} == wanted


def test_on_the_embedded_broker_every_topic_has_four_partitions(embedded: BrokerUnderTest) -> None:
    assert set(_ours(embedded).values()) == {4}


def test_only_what_is_missing_is_made(make_kafka: MakeBroker) -> None:
    kafka = make_kafka(create=False)
    _make(kafka, BARS.name, 4)
    made = kafka.create_topics()
    assert kafka.full_name(BARS) not in made
    assert len(made) == len(ALL_TOPICS) - 1


def test_wrong_topics_are_reported_each_in_its_words_and_nothing_is_made(make_kafka: MakeBroker) -> None:
    kafka = make_kafka(create=False)
    _make(kafka, BARS.name, 2)
    _make(kafka, MODELS.name, 4)
    _make(kafka, PREDICTIONS_LATEST.name, 4, cleanup_policy="delete")
    with pytest.raises(StopAndSayError) as stopped:
        kafka.create_topics()
    lines = str(stopped.value).split("; ")
    assert len(lines) == 3
    assert any("bars has 2 partitions, not 4" in line and "TICKCAST_PARTITIONS" in line for line in lines)
    assert any("models has 4 partitions, not 1" in line for line in lines)
    assert any("predictions-latest has cleanup.policy 'delete', not 'compact'" in line for line in lines)
    assert len(_ours(kafka)) == 3


def test_what_the_broker_refuses_is_said_in_one_line(make_kafka: MakeBroker) -> None:
    kafka = make_kafka(create=False, replication_factor=3)
    with pytest.raises(StopAndSayError, match=r"^the broker refuses topic [^\n]*[Rr]eplication factor"):
        kafka.create_topics()


def test_a_service_that_finds_a_topic_missing_stops_and_names_the_command(broker: BrokerUnderTest) -> None:
    settings = broker.settings(topic_prefix=f"{broker.topic_prefix}other.")
    with pytest.raises(StopAndSayError, match=r"other\.bars is missing: create the topics with `tickcast topics`"):
        require_topics(settings, (BARS,), AdminClient, ConfigResource)


def test_where_nothing_answers_that_is_said_with_the_address() -> None:
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(StopAndSayError, match=f"no Kafka broker answers at {address}"):
        create_topics(Settings(_env_file=None, kafka_bootstrap_servers=address), answer_seconds=0.3)
