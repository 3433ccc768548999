"""The test brokers themselves: what other tests lean on must hold."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from schemas.events import ServiceState, ServiceStatus
from schemas.settings import Settings
from schemas.topics import ALL_TOPICS, DEAD_LETTERS, SERVICE_STATUS
from tests import records
from tests.brokers import BrokerUnderTest, Record
from tests.processes import Processes


def _status(instance: str) -> ServiceStatus:
    return ServiceStatus(
        service="test",
        instance=instance,
        version="0",
        state=ServiceState.READY,
        started_at_ns=1,
        updated_at_ns=2,
        memory_bytes=3,
    )


def test_what_is_written_is_read_back_from_all_partitions_to_their_ends(broker: BrokerUnderTest) -> None:
    for number in range(10):
        broker.produce("ticks", b"%d" % number, partition=number % 4, headers=[("n", b"%d" % number)])
    records = broker.read("ticks")
    assert sorted(int(r.value or b"") for r in records) == list(range(10))
    assert all(r.headers["n"] == r.value and r.partition == int(r.value or b"") % 4 for r in records)
    assert broker.ends("ticks") == {0: 3, 1: 3, 2: 2, 3: 2}


def test_an_event_comes_back_as_its_type(broker: BrokerUnderTest) -> None:
    broker.produce(SERVICE_STATUS, _status("a"), key="test/a")
    [record] = broker.read(SERVICE_STATUS, until=1)
    assert record.event() == _status("a")
    assert record.key == b"test/a"


def test_reading_an_empty_topic_to_its_end_gives_nothing(broker: BrokerUnderTest) -> None:
    assert broker.read(DEAD_LETTERS) == []


def test_a_condition_that_never_holds_fails_and_says_what_was_read(
    broker: BrokerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker.produce(DEAD_LETTERS, b"seen", key="k")
    clock: Any = SimpleNamespace(now=0.0)
    clock.monotonic = lambda: clock.now
    monkeypatch.setattr(records, "time", clock)

    def never(read: list[Record]) -> bool:
        clock.now += len(read)
        return False

    with pytest.raises(pytest.fail.Exception, match=r"(?s)not enough within 0\.5 s; 1 records.*seen"):
        broker.read(DEAD_LETTERS, until=never, deadline_seconds=0.5)


def test_two_brokers_of_one_test_do_not_see_each_other(broker: BrokerUnderTest, request: pytest.FixtureRequest) -> None:
    other = BrokerUnderTest(request.getfixturevalue(f"{'embedded' if broker.embedded else 'kafka'}_address"))
    other.create_topics()
    other.produce("ticks", b"theirs", partition=0)
    assert broker.read("ticks") == []
    other.delete_topics()


def test_the_settings_of_a_child_process_are_those_of_the_test(broker: BrokerUnderTest, processes: Processes) -> None:
    child = processes.start("deploy.topics", environment=broker.environment())
    assert child.wait() == 0, child.output()
    assert f"topics: 0 created, {len(ALL_TOPICS)} already existed" in child.output()


def test_settings_lead_to_the_broker_whatever_the_environment_says(
    broker: BrokerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKCAST_KAFKA_BOOTSTRAP_SERVERS", "elsewhere:1")
    settings = broker.settings(Settings, interval="1m")
    assert settings.kafka_bootstrap_servers == broker.bootstrap_servers
    assert (settings.interval, settings.topic_prefix) == ("1m", broker.topic_prefix)
    assert json.loads(settings.model_dump_json())["kafka_embedded"] is broker.embedded
