"""Local Kafka: its data outlives it, its port stays, and nothing is left behind."""

import itertools
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient

from deploy.kafka.java import java_environment, server_command
from deploy.kafka.ports import Ports
from deploy.kafka.server import LocalKafka, jars_of, start_local_kafka
from deploy.kafka.settings import LocalKafkaSettings
from schemas.broker import wait_until
from schemas.errors import EXIT_STOP_AND_SAY, StopAndSayError
from schemas.topics import DEAD_LETTERS
from tests.brokers import BrokerUnderTest, Server
from tests.deploy.supervised import lives
from tests.processes import Processes, free_port
from tests.servers import require_local_kafka

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def settings() -> LocalKafkaSettings:
    return require_local_kafka()


class Nodes:
    """Starts nodes and stops them all after the test."""

    def __init__(self, settings: LocalKafkaSettings) -> None:
        self.settings = settings
        self.said: list[str] = []
        self._started: list[LocalKafka] = []

    def start(self, folder: Path, port: int = 0) -> LocalKafka:
        settings = self.settings.model_copy(update={"kafka_port": port})
        node = start_local_kafka(folder, settings, self.said.append)
        self._started.append(node)
        return node

    def stop_all(self) -> None:
        for node in self._started:
            node.stop()


@pytest.fixture
def nodes(settings: LocalKafkaSettings) -> Iterator[Nodes]:
    nodes = Nodes(settings)
    yield nodes
    nodes.stop_all()


def _client(node: LocalKafka) -> BrokerUnderTest:
    return BrokerUnderTest(Server(node.ports.bootstrap_servers, embedded=False), topic_prefix="kept.")


def _values(node: LocalKafka) -> list[int]:
    return [int(record.value or b"") for record in _client(node).read(DEAD_LETTERS)]


def test_a_restart_keeps_data_topics_and_address(tmp_path: Path, nodes: Nodes) -> None:
    first = nodes.start(tmp_path)
    _client(first).create_topics()
    _client(first).produce(DEAD_LETTERS, *[b"%d" % number for number in range(100)])
    first.stop()
    second = nodes.start(tmp_path)
    assert second.ports == first.ports
    assert _client(second).create_topics() == []
    assert _values(second) == list(range(100))
    assert nodes.said == []


def test_a_kill_in_the_middle_of_writing_loses_nothing_that_was_acknowledged(tmp_path: Path, nodes: Nodes) -> None:
    node = nodes.start(tmp_path)
    _client(node).create_topics()
    acknowledged: list[int] = []
    producer = Producer(
        {
            "bootstrap.servers": node.ports.bootstrap_servers,
            "enable.idempotence": True,
            "linger.ms": 1,
            "log_level": 0,
        }
    )

    def note(error: object, message: Message) -> None:
        if error is None:
            acknowledged.append(int(message.value()))

    for number in itertools.count():
        producer.produce("kept.dead-letters", b"%d" % number, on_delivery=note)
        producer.poll(0.001)
        if len(acknowledged) > 500:
            break
    os.kill(node.process.pid, signal.SIGKILL)
    node.process.wait()
    node.stop()
    again = _values(nodes.start(tmp_path))
    assert set(acknowledged) <= set(again)
    assert len(again) == len(set(again))


def test_a_taken_port_gives_another_that_is_said_and_kept(tmp_path: Path, nodes: Nodes) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port()))
        other.listen()
        taken = other.getsockname()[1]
        node = nodes.start(tmp_path, port=taken)
        assert node.ports.broker != taken
        assert nodes.said == [f"port {taken} is taken: Kafka is on port {node.ports.broker} from now on"]
        node.stop()
    assert nodes.start(tmp_path).ports.broker == node.ports.broker
    assert len(nodes.said) == 1


def test_a_port_named_by_setting_is_taken_once_it_is_free(tmp_path: Path, nodes: Nodes) -> None:
    first = nodes.start(tmp_path)
    first.stop()
    wanted = free_port()
    assert nodes.start(tmp_path, port=wanted).ports == Ports(wanted, first.ports.controller)
    assert nodes.said == []


def test_a_port_of_somebody_else_of_ours_is_left_to_them(tmp_path: Path, settings: LocalKafkaSettings) -> None:
    port, said = free_port(), list[str]()
    wanting = settings.model_copy(update={"kafka_port": port})
    node = start_local_kafka(tmp_path, wanting, said.append, reserved_ports=[port])
    node.stop()
    assert said == [f"port {port} is taken: Kafka is on port {node.ports.broker} from now on"]


@pytest.mark.parametrize("name", ["CLASSPATH", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"])
def test_java_options_meant_for_other_programs_do_not_reach_kafka(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "-Xmx1m")
    assert name not in java_environment()


def test_a_user_without_a_home_keeps_the_jars_in_var(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("TICKCAST_JARS_FOLDER", raising=False)
    monkeypatch.setattr(Path, "home", no_home)
    assert LocalKafkaSettings(_env_file=None).jars_folder == Path("var/jars")


def test_a_second_start_on_the_same_folder_is_refused_in_one_line(tmp_path: Path, nodes: Nodes) -> None:
    node = nodes.start(tmp_path)
    with pytest.raises(StopAndSayError, match=rf"^Kafka already runs on {tmp_path}, started by process {os.getpid()}"):
        nodes.start(tmp_path)
    assert AdminClient({"bootstrap.servers": node.ports.bootstrap_servers}).list_topics(timeout=60).brokers
    node.stop()
    nodes.start(tmp_path)


def test_a_mistyped_topic_is_not_made(tmp_path: Path, nodes: Nodes) -> None:
    node = nodes.start(tmp_path)
    producer = Producer({"bootstrap.servers": node.ports.bootstrap_servers, "log_level": 0})
    with pytest.raises(KafkaException, match=r"Unknown topic|UNKNOWN_TOPIC"):
        _raise_topic_error(producer, "tikcs")
    assert "tikcs" not in producer.list_topics(timeout=60).topics


def _raise_topic_error(producer: Producer, name: str) -> None:
    error = producer.list_topics(name, timeout=60).topics[name].error
    if error is not None:
        raise KafkaException(error)


def test_a_node_that_a_killed_start_left_behind_is_ended_and_its_data_used(
    tmp_path: Path, nodes: Nodes, settings: LocalKafkaSettings
) -> None:
    first = nodes.start(tmp_path)
    _client(first).create_topics()
    _client(first).produce(DEAD_LETTERS, b"1")
    first.stop()
    command = server_command(jars_of(settings, print), first.folder.configuration, settings)
    orphan = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=java_environment())
    first.folder.pid.write_text(str(orphan.pid))
    assert _values(nodes.start(tmp_path)) == [1]
    assert orphan.poll() is not None
    assert nodes.said == ["ended a Kafka that a killed run had left behind"]


def test_a_process_that_took_the_old_number_is_left_alone(tmp_path: Path, nodes: Nodes) -> None:
    node = nodes.start(tmp_path)
    node.stop()
    node.folder.pid.write_text(str(os.getpid()))
    nodes.start(tmp_path)
    assert nodes.said == []


def test_kafka_that_cannot_start_gives_its_last_words(tmp_path: Path, nodes: Nodes) -> None:
    node = nodes.start(tmp_path)
    node.stop()
    meta = node.folder.data / "meta.properties"
    meta.write_text(meta.read_text().replace("node.id=1", "node.id=7"))
    with pytest.raises(StopAndSayError, match=r"^Kafka ended at its start: [^\n]*node id 7") as stopped:
        nodes.start(tmp_path)
    assert str(node.folder.log) in str(stopped.value)
    meta.write_text(meta.read_text().replace("node.id=7", "node.id=1"))
    nodes.start(tmp_path)  # the folder was given free


def test_a_cut_short_formatting_is_done_again(tmp_path: Path, nodes: Nodes) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "bootstrap.checkpoint").write_bytes(b"half")
    assert _client(nodes.start(tmp_path)).create_topics()


def test_the_foreground_command_answers_and_ends_with_its_kafka(tmp_path: Path, processes: Processes) -> None:
    service = processes.start("deploy.kafka", "--folder", str(tmp_path), environment={"TICKCAST_KAFKA_PORT": "0"})
    service.wait_for(lambda: "Apache Kafka 4" in service.output(), what="the line that Kafka runs")
    pid = int((tmp_path / "pid").read_text())
    assert service.stop() == 0
    assert not lives(pid)


def test_kafka_ends_with_the_process_that_started_it_even_if_that_was_killed(
    tmp_path: Path, processes: Processes
) -> None:
    service = processes.start("deploy.kafka", "--folder", str(tmp_path), environment={"TICKCAST_KAFKA_PORT": "0"})
    service.wait_for(lambda: "Apache Kafka 4" in service.output(), what="the line that Kafka runs")
    pid = int((tmp_path / "pid").read_text())
    service.kill()
    wait_until(lambda: not lives(pid), seconds=60, what="the end of Kafka")


def test_kafka_that_dies_ends_the_foreground_command_with_a_line(tmp_path: Path, processes: Processes) -> None:
    service = processes.start("deploy.kafka", "--folder", str(tmp_path), environment={"TICKCAST_KAFKA_PORT": "0"})
    service.wait_for(lambda: "Apache Kafka 4" in service.output(), what="the line that Kafka runs")
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert service.wait(60) == EXIT_STOP_AND_SAY
    assert "Kafka ended by itself" in service.output()


def test_resolve_fetches_nothing_when_all_is_there(settings: LocalKafkaSettings, processes: Processes) -> None:
    nowhere = {
        "TICKCAST_MAVEN_REPOSITORY": f"http://127.0.0.1:{free_port()}",
        "TICKCAST_JARS_FOLDER": str(settings.jars_folder),
    }
    service = processes.start("deploy.kafka", "resolve", environment=nowhere)
    assert service.wait() == 0, service.output()
    assert "all as pinned" in service.output()
    assert "fetching" not in service.output()


def test_resolve_without_network_and_without_jars_says_so(tmp_path: Path, processes: Processes) -> None:
    nowhere = {
        "TICKCAST_MAVEN_REPOSITORY": f"http://127.0.0.1:{free_port()}",
        "TICKCAST_JARS_FOLDER": str(tmp_path / "jars"),
    }
    service = processes.start("deploy.kafka", "resolve", environment=nowhere)
    assert service.wait() == EXIT_STOP_AND_SAY
    assert "the Maven repository cannot be reached" in service.output()
    assert "Traceback" not in service.output()
