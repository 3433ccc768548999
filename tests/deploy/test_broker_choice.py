"""Which broker `--broker` gives, and how each speaks to the clients that the services use."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pydantic import SecretStr

from deploy import brokers
from deploy.brokers import RunningBroker, start_broker
from deploy.embedded_broker import start_embedded_broker
from deploy.reach import require_answer
from deploy.topics import create_topics
from schemas.broker import wait_until
from schemas.errors import StopAndSayError
from schemas.settings import Settings
from schemas.topics import PREDICTIONS_LATEST
from tests.brokers import BrokerUnderTest, Server
from tests.certificates import Authority
from tests.processes import Processes, free_port
from tests.servers import require_local_kafka

pytestmark = pytest.mark.integration


class Starter:
    """Starts brokers by choice and stops them after the test."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.said: list[str] = []
        self._started: list[RunningBroker] = []

    def __call__(self, choice: str, settings: Settings | None = None) -> RunningBroker:
        given = settings or Settings(_env_file=None)
        broker = start_broker(choice, var=self.var, settings=given, say=self.said.append)
        self._started.append(broker)
        return broker

    def stop_all(self) -> None:
        for broker in self._started:
            broker.stop()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    starter = Starter(tmp_path)
    yield starter
    starter.stop_all()


@pytest.fixture
def no_jars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that never fetched the jars and cannot now."""
    monkeypatch.setenv("TICKCAST_JARS_FOLDER", str(tmp_path / "empty"))
    monkeypatch.setenv("TICKCAST_MAVEN_REPOSITORY", f"http://127.0.0.1:{free_port()}")


@pytest.mark.usefixtures("no_jars")
def test_auto_takes_the_embedded_broker_where_kafka_is_not_available_and_says_why_in_one_line(start: Starter) -> None:
    broker = start("auto")
    assert broker.kind == "embedded"
    [fetching, why] = start.said
    assert fetching.startswith("fetching 46 jars")
    assert why.startswith("using the embedded broker, which forgets everything when it ends, because ")
    assert "the Maven repository cannot be reached" in why
    assert "\n" not in why
    assert broker.environment()["TICKCAST_KAFKA_EMBEDDED"] == "true"


def test_auto_takes_the_embedded_broker_where_the_cache_cannot_be_written(
    start: Starter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("TICKCAST_JARS_FOLDER", str(tmp_path / "file" / "jars"))
    assert start("auto").kind == "embedded"
    assert "TICKCAST_JARS_FOLDER" in start.said[-1]


@pytest.mark.usefixtures("no_jars")
def test_local_by_name_does_not_fall_back(start: Starter) -> None:
    with pytest.raises(StopAndSayError, match=r"^local Kafka is not available: .* choose --broker embedded$"):
        start("local")


def test_auto_takes_the_cluster_that_the_settings_name(start: Starter, embedded: BrokerUnderTest) -> None:
    broker = start("auto", embedded.settings())
    assert (broker.kind, broker.bootstrap_servers) == ("cluster", embedded.bootstrap_servers)
    assert broker.environment()["TICKCAST_KAFKA_EMBEDDED"] == "true"
    broker.stop()
    assert require_answer({"bootstrap.servers": embedded.bootstrap_servers}).brokers == 1


def test_an_address_is_that_cluster_and_is_left_alone(start: Starter, kafka: BrokerUnderTest) -> None:
    broker = start(kafka.bootstrap_servers)
    assert broker.message == f"the Kafka cluster at {kafka.bootstrap_servers} (1 broker)"
    assert broker.process is None
    assert broker.alive()
    broker.stop()
    assert require_answer({"bootstrap.servers": kafka.bootstrap_servers}).brokers == 1


def test_an_address_where_nothing_answers_gives_one_line() -> None:
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(
        StopAndSayError, match=rf"^no Kafka broker answers at {address} within 0.3 s: .*refused: .*--broker local$"
    ):
        require_answer({"bootstrap.servers": address}, seconds=0.3)


def test_a_certificate_that_went_gives_one_line(start: Starter, tmp_path: Path) -> None:
    authority = Authority(tmp_path).certificate
    settings = Settings(_env_file=None, kafka_security_protocol="SSL", kafka_ssl_ca_file=str(authority))
    authority.unlink()
    with pytest.raises(StopAndSayError, match=r"^wrong settings TICKCAST_KAFKA_\*: [^\n]*ssl\.ca\.location"):
        start("kafka.example:9093", settings)
    with pytest.raises(StopAndSayError, match=r"^wrong settings TICKCAST_KAFKA_\*: [^\n]*ssl\.ca\.location"):
        create_topics(settings)


def test_local_starts_kafka_that_dies_with_last_words_and_starts_again(
    start: Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKCAST_KAFKA_PORT", "0")
    monkeypatch.setenv("TICKCAST_KAFKA_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")
    require_local_kafka()
    broker = start("local")
    assert broker.kind == "local"
    assert broker.environment()["TICKCAST_KAFKA_EMBEDDED"] == "false"
    assert broker.message.endswith(f"on {broker.bootstrap_servers}, data in {start.var / 'kafka'}")
    assert broker.process is not None
    os.kill(broker.process.pid, signal.SIGKILL)
    wait_until(lambda: not broker.alive(), seconds=60, what="the end")
    assert broker.last_words().startswith("the local broker was killed by SIGKILL; its last words: ")
    broker.stop()
    broker.stop()
    assert start("local").bootstrap_servers == broker.bootstrap_servers


async def _write_and_read(broker: BrokerUnderTest, count: int) -> list[tuple[bytes | None, bytes | None]]:
    topic = broker.full_name(PREDICTIONS_LATEST)
    async with AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers) as producer:
        for number in range(count):
            await producer.send_and_wait(topic, b"%d" % number, key=b"A%d" % number)
    read: list[tuple[bytes | None, bytes | None]] = []
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=broker.bootstrap_servers, auto_offset_reset="earliest")
    async with consumer, asyncio.timeout(60):
        while len(read) < count:
            read.append(((record := await consumer.getone()).key, record.value))
    return read


async def test_a_confluent_and_an_aiokafka_client_agree_on_records_and_partitions(broker: BrokerUnderTest) -> None:
    by_aiokafka = await _write_and_read(broker, 20)
    assert sorted(by_aiokafka) == sorted((b"A%d" % n, b"%d" % n) for n in range(20))
    before = {record.key: record.partition for record in broker.read(PREDICTIONS_LATEST, until=20)}
    for number in range(20):
        broker.produce(PREDICTIONS_LATEST, b"again", key=f"A{number}")
    after = {r.key: r.partition for r in broker.read(PREDICTIONS_LATEST, until=40) if r.value == b"again"}
    assert after == before
    assert len(set(before.values())) > 1


def test_the_embedded_broker_forgets_and_starts_afresh(tmp_path: Path) -> None:
    first = start_embedded_broker(tmp_path)
    BrokerUnderTest(Server(first.bootstrap_servers, embedded=True), topic_prefix="x.").create_topics()
    first.stop()
    first.stop()
    second = start_embedded_broker(tmp_path)
    assert BrokerUnderTest(Server(second.bootstrap_servers, embedded=True), topic_prefix="x.").create_topics()
    second.stop()


def test_an_embedded_broker_that_cannot_write_its_address_gives_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "embedded.address.partial").mkdir()
    with pytest.raises(StopAndSayError, match=r"the embedded broker ended at its start: .*IsADirectoryError"):
        start_embedded_broker(tmp_path)


def test_the_embedded_command_prints_its_address_and_ends_politely(processes: Processes) -> None:
    service = processes.start("deploy.embedded_broker")
    service.wait_for(lambda: "embedded broker on 127.0.0.1:" in service.output(), what="its address")
    address = service.output().split("embedded broker on ")[1].split()[0]
    assert require_answer({"bootstrap.servers": address}).brokers == 1
    assert service.stop() == 0


def test_a_child_whose_parent_is_already_gone_ends_at_once() -> None:
    program = "from deploy.launch import end_with_parent; import os; end_with_parent(os.getpid()); print('still here')"
    child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert (child.returncode, child.stdout) == (0, "")


SECURED = Settings(
    _env_file=None,
    kafka_bootstrap_servers="kafka.example:9093",
    kafka_security_protocol="SASL_SSL",
    kafka_sasl_username="me",
    kafka_sasl_password=SecretStr("secret"),
    replication_factor=3,
)


@pytest.mark.parametrize("kind", ["local", "embedded"])
def test_a_broker_of_ours_needs_no_secrets_whatever_cluster_the_settings_describe(kind: brokers.Kind) -> None:
    broker = RunningBroker(kind, "127.0.0.1:22336", None, "ours", embedded=kind == "embedded")
    applied = broker.applied_to(SECURED)
    assert applied.kafka_config() == {"bootstrap.servers": "127.0.0.1:22336", "security.protocol": "PLAINTEXT"}
    assert (applied.replication_factor, applied.kafka_embedded) == (1, kind == "embedded")
    assert broker.environment() == {
        "TICKCAST_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:22336",
        "TICKCAST_KAFKA_EMBEDDED": str(kind == "embedded").lower(),
        "TICKCAST_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT",
        "TICKCAST_REPLICATION_FACTOR": "1",
    }


def test_a_cluster_keeps_the_security_and_the_replication_of_the_settings() -> None:
    broker = RunningBroker("cluster", "other.example:9093", None, "theirs")
    assert broker.applied_to(SECURED) == SECURED.model_copy(update={"kafka_bootstrap_servers": "other.example:9093"})
    assert broker.environment().keys() == {"TICKCAST_KAFKA_BOOTSTRAP_SERVERS", "TICKCAST_KAFKA_EMBEDDED"}


def test_words_of_a_cluster_say_that_it_is_not_ours() -> None:
    broker = brokers.RunningBroker("cluster", "a:1", None, "")
    assert broker.last_words() == "the cluster at a:1 is not ours"
