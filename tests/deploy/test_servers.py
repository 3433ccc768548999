"""Where the tests' own Kafka comes from, and what happens where there is none."""

from pathlib import Path

import pytest

from tests.brokers import BrokerUnderTest
from tests.processes import free_port
from tests.servers import ADDRESS_VARIABLE, kafka_server


@pytest.fixture
def nothing_to_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ADDRESS_VARIABLE, raising=False)
    monkeypatch.delenv("REQUIRE_KAFKA", raising=False)
    monkeypatch.setenv("TICKCAST_JARS_FOLDER", str(tmp_path / "empty"))
    monkeypatch.setenv("TICKCAST_MAVEN_REPOSITORY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path / 'no-engine'}")


def test_a_named_address_comes_first(
    embedded: BrokerUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ADDRESS_VARIABLE, embedded.bootstrap_servers)
    with kafka_server(tmp_path) as server:
        assert server.bootstrap_servers == embedded.bootstrap_servers


@pytest.mark.usefixtures("nothing_to_be_had")
def test_without_any_kafka_tests_are_skipped_with_every_reason(tmp_path: Path) -> None:
    with pytest.raises(pytest.skip.Exception) as skipped, kafka_server(tmp_path):
        pass
    for reason in (ADDRESS_VARIABLE, "the Maven repository cannot be reached", "no Docker engine answers"):
        assert reason in str(skipped.value)


@pytest.mark.usefixtures("nothing_to_be_had")
def test_where_kafka_is_required_its_absence_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE_KAFKA", "1")
    with (
        pytest.raises(pytest.fail.Exception, match="REQUIRE_KAFKA is set and there is no Kafka"),
        kafka_server(tmp_path),
    ):
        pass
