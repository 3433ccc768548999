"""The folder of a node: ports kept, configuration readable by Java, ids that a command line takes."""

import re
import socket
from pathlib import Path

import pytest

from deploy.kafka.node import NodeFolder, choose_ports, new_cluster_id
from deploy.kafka.ports import HOST, Ports, free_ports, is_free
from deploy.kafka.server import wanted_ports
from deploy.kafka.settings import LocalKafkaSettings


def _read_java_properties(text: str) -> dict[str, str]:
    """Read as java.util.Properties does, as far as our files go."""
    pairs = (line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return {name: re.sub(r"\\(u[0-9a-f]{4}|.)", _unescaped, value) for name, value in pairs}


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code[1:], 16)) if code.startswith("u") else code


def test_a_wanted_port_that_is_free_is_taken() -> None:
    assert choose_ports(None, [9_092], free=lambda _: True).broker == 9_092


def test_where_the_wanted_port_is_taken_another_is_chosen() -> None:
    ports = choose_ports(None, [9_092], free=lambda port: port != 9_092)
    assert ports.broker not in (0, 9_092)
    assert ports.controller not in (ports.broker, 9_092)


def test_kept_ports_stay_even_when_the_default_one_is_free_again() -> None:
    kept = Ports(23_000, 23_001)
    wanted = wanted_ports(kept, LocalKafkaSettings(_env_file=None))
    assert choose_ports(kept, wanted, free=lambda _: True) == kept


def test_a_port_that_a_setting_names_comes_before_the_kept_one_and_0_names_none() -> None:
    kept = Ports(23_000, 23_001)
    named = LocalKafkaSettings(_env_file=None, kafka_port=9_092)
    assert choose_ports(kept, wanted_ports(kept, named), free=lambda _: True) == Ports(9_092, 23_001)
    assert wanted_ports(kept, LocalKafkaSettings(_env_file=None, kafka_port=0)) == [23_000]
    assert wanted_ports(None, LocalKafkaSettings(_env_file=None, kafka_port=0)) == []


def test_a_kept_port_that_somebody_took_is_replaced_alone() -> None:
    ports = choose_ports(Ports(23_000, 23_001), [23_000, 9_092], free=lambda port: port != 23_000)
    assert ports == Ports(9_092, 23_001)


def test_broker_and_controller_never_share_a_port() -> None:
    for port in range(20_000, 20_050):
        ports = choose_ports(Ports(port, port), [port], free=lambda _: True)
        assert ports.broker != ports.controller


def test_ports_are_remembered_and_a_broken_memory_is_none(tmp_path: Path) -> None:
    folder = NodeFolder(tmp_path)
    assert folder.kept_ports() is None
    folder.keep_ports(Ports(1, 2))
    assert folder.kept_ports() == Ports(1, 2)
    (tmp_path / "ports.json").write_text('{"broker": 1')
    assert folder.kept_ports() is None


def test_a_port_that_listens_is_not_free_and_free_ones_can_be_listened_on() -> None:
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen()
        assert not is_free(server.getsockname()[1])
    with socket.socket() as server:
        server.bind((HOST, next(free_ports())))


@pytest.mark.parametrize("name", ["plain", "with space", "käse", "日本", "🐟", "back\\slash", "equals=sign", "#hash"])
def test_java_reads_the_data_folder_as_it_is(tmp_path: Path, name: str) -> None:
    root = tmp_path / name
    root.mkdir()
    folder = NodeFolder(root)
    folder.write_configuration(Ports(23_000, 23_001))
    read = _read_java_properties(folder.configuration.read_text(encoding="latin-1"))
    decoded = read["log.dirs"].encode("utf-16", "surrogatepass").decode("utf-16")
    assert decoded == str((root / "data").resolve())
    assert read["listeners"] == "BROKER://127.0.0.1:23000,CONTROLLER://127.0.0.1:23001"
    assert read["auto.create.topics.enable"] == "false"


def test_a_cluster_id_is_known_only_after_a_whole_formatting(tmp_path: Path) -> None:
    folder = NodeFolder(tmp_path)
    assert folder.cluster_id() is None
    folder.data.mkdir()
    (folder.data / "meta.properties").write_text("#\nnode.id=1\n")
    assert folder.cluster_id() is None
    (folder.data / "meta.properties").write_text("#\ncluster.id=abc-_123\nnode.id=1\n")
    assert folder.cluster_id() == "abc-_123"


def test_cluster_ids_differ_and_none_looks_like_an_option() -> None:
    ids = {new_cluster_id() for _ in range(1_000)}
    assert len(ids) == 1_000
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{21}", text) for text in ids)


def test_one_old_log_is_kept(tmp_path: Path) -> None:
    folder = NodeFolder(tmp_path)
    for text in ("first", "second", "third"):
        folder.begin_log()
        folder.log.write_text(text)
    assert folder.log.read_text() == "third"
    assert (tmp_path / "kafka.log.1").read_text() == "second"
