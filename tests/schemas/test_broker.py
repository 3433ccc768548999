from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from schemas.broker import BrokerUnreachableError, found_topics, require_topics, wait_until
from schemas.errors import StopAndSayError
from schemas.settings import Settings
from schemas.topics import BARS, TICKS, FoundTopic


@dataclass(frozen=True)
class Resource:
    name: str


@dataclass
class FakeAdmin:
    """What confluent-kafka's AdminClient answers."""

    partitions: dict[str, int]
    cleanup: str = "delete"
    broken: set[str] = field(default_factory=set)
    away: bool = False
    asked: list[str] = field(default_factory=list)
    waits_seconds: list[float] = field(default_factory=list)
    #: What its connections say, by the name of the error, once it is polled.
    said: list[tuple[str, str]] = field(default_factory=list)
    error_cb: Callable[[Any], None] = lambda _: None

    def poll(self, timeout: float) -> None:
        for name, words in self.said:
            self.error_cb(SimpleNamespace(name=lambda name=name: name, str=lambda words=words: words))

    def list_topics(self, timeout: float) -> Any:
        self.waits_seconds.append(timeout)
        if self.away:
            raise ConnectionError("nobody there")
        topics = {
            name: SimpleNamespace(partitions=dict.fromkeys(range(count)), error="gone" if name in self.broken else None)
            for name, count in self.partitions.items()
        }
        return SimpleNamespace(topics=topics)

    def describe_configs(self, resources: list[Resource], request_timeout: float) -> Any:
        self.asked = [resource.name for resource in resources]
        self.waits_seconds.append(request_timeout)
        config = {"cleanup.policy": SimpleNamespace(value=self.cleanup)}
        return {resource: SimpleNamespace(result=lambda: config) for resource in resources}


def named(kind: str, name: str) -> Resource:
    assert kind == "topic"
    return Resource(name)


def settings(*, embedded: bool = False) -> Settings:
    values: dict[str, Any] = {"kafka_bootstrap_servers": "k:1", "kafka_embedded": embedded}
    return Settings(_env_file=None, topic_prefix="t.", partitions=2, **values)


def clients(admin: FakeAdmin) -> Callable[[dict[str, Any]], FakeAdmin]:
    def client(config: dict[str, Any]) -> FakeAdmin:
        admin.error_cb = config["error_cb"]
        return admin

    return client


def test_topics_are_described_with_their_partitions_and_cleanup() -> None:
    admin = FakeAdmin({"t.ticks": 2, "other": 1, "t.broken": 1}, broken={"t.broken"})
    assert found_topics(admin, ["t.ticks", "t.bars", "t.broken"], Resource) == {"t.ticks": FoundTopic(2, "delete")}
    assert admin.asked == ["t.ticks"]


def test_a_broker_without_configuration_is_not_asked_for_it() -> None:
    admin = FakeAdmin({"t.ticks": 4})
    assert found_topics(admin, ["t.ticks"], None) == {"t.ticks": FoundTopic(4, None)}
    assert admin.asked == []


def test_an_empty_broker_is_asked_no_further() -> None:
    admin = FakeAdmin({})
    assert found_topics(admin, ["t.ticks"], Resource) == {}
    assert admin.asked == []


def test_topics_as_they_should_be_let_a_service_start() -> None:
    require_topics(settings(), (TICKS, BARS), clients(FakeAdmin({"t.ticks": 2, "t.bars": 2})), named)


def test_wrong_topics_stop_a_service_with_one_line() -> None:
    with pytest.raises(StopAndSayError, match=r"topic t\.ticks has 3 partitions, not 2.*; topic t\.bars is missing"):
        require_topics(settings(), (TICKS, BARS), clients(FakeAdmin({"t.ticks": 3})), named)


def test_the_embedded_broker_is_asked_for_names_alone() -> None:
    admin = FakeAdmin({"t.ticks": 4, "t.bars": 4})
    require_topics(settings(embedded=True), (TICKS, BARS), clients(admin), named)
    assert admin.asked == []


def test_a_broker_that_does_not_answer_is_named_and_may_answer_later() -> None:
    with pytest.raises(
        BrokerUnreachableError,
        match=r"no Kafka broker answers at k:1: nobody there \(does it want TLS\?.*_SECURITY_PROTOCOL",
    ):
        require_topics(settings(), (TICKS,), clients(FakeAdmin({}, away=True)), named)


def test_the_broker_is_given_the_time_that_the_settings_say() -> None:
    admin = FakeAdmin({"t.ticks": 2})
    require_topics(settings().model_copy(update={"kafka_answer_seconds": 0.5}), (TICKS,), clients(admin), named)
    assert admin.waits_seconds == pytest.approx([0.5, 0.5, 0.5], abs=0.1)


DOWN = ("_ALL_BROKERS_DOWN", "1/1 brokers are down")


def test_what_the_connections_said_first_is_in_the_line_of_a_broker_that_does_not_answer() -> None:
    words = "SSL handshake failed: connecting to a PLAINTEXT broker listener?"
    said = [DOWN, ("_TRANSPORT", f"ssl://k:1/bootstrap: {words} (after 1ms in state X)"), ("_TRANSPORT", "more")]
    with pytest.raises(BrokerUnreachableError) as unreachable:
        require_topics(settings(), (TICKS,), clients(FakeAdmin({}, away=True, said=said)), named)
    assert str(unreachable.value) == f"no Kafka broker answers at k:1: {words}"


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (
            ("_AUTHENTICATION", "sasl_plaintext://k:1/bootstrap: invalid credentials (after 5ms in state AUTH_REQ)"),
            r"k:1 refuses the user 'me' with SCRAM-SHA-512 \(invalid credentials\): .*SASL_PASSWORD",
        ),
        (
            ("_SSL", "ssl://k:1/bootstrap: SSL handshake failed: error:0A000086::certificate verify failed: (after"),
            "certificate of the Kafka broker at k:1 cannot be verified: set TICKCAST_KAFKA_SSL_CA_FILE",
        ),
    ],
)
def test_a_broker_that_lets_us_not_in_stops_a_service_at_the_first_try(said: tuple[str, str], line: str) -> None:
    admin = FakeAdmin({}, away=True, said=[DOWN, said])
    given: dict[str, Any] = {"kafka_security_protocol": "SASL_PLAINTEXT", "kafka_sasl_mechanism": "SCRAM-SHA-512"}
    secrets: dict[str, Any] = {"kafka_sasl_username": "me", "kafka_sasl_password": "hunter2"}
    secured = Settings(_env_file=None, kafka_bootstrap_servers="k:1", **given, **secrets)
    with pytest.raises(StopAndSayError, match=line) as refused:
        require_topics(secured, (TICKS,), clients(admin), named)
    assert len(admin.waits_seconds) == 1
    assert "hunter2" not in str(refused.value)


def test_settings_of_which_no_client_can_be_made_are_said() -> None:
    def refuse(_config: dict[str, str]) -> FakeAdmin:
        raise RuntimeError("ssl.ca.location failed: no such file")

    with pytest.raises(StopAndSayError, match=r"^wrong settings TICKCAST_KAFKA_\*: ssl\.ca\.location failed"):
        require_topics(settings(), (TICKS,), refuse, named)


def test_waiting_ends_when_the_condition_holds() -> None:
    answers = iter([False, False, True])
    wait_until(lambda: next(answers), seconds=5, what="it", every_seconds=0)
    assert next(answers, None) is None


def test_waiting_in_vain_says_for_what() -> None:
    with pytest.raises(TimeoutError, match=r"the moon did not happen within 0\.01 s"):
        wait_until(lambda: False, seconds=0.01, what="the moon", every_seconds=0)
