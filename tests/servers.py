"""Where the tests' Kafka comes from: an address, pip packages, or a Docker engine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.kafka.jars import UnavailableError
from deploy.kafka.java import java_program
from deploy.kafka.server import jars_of, start_local_kafka
from deploy.kafka.settings import LocalKafkaSettings
from deploy.reach import require_answer
from tests.brokers import Server

#: An address to use instead of starting anything.
ADDRESS_VARIABLE = "TICKCAST_TEST_KAFKA"


def kafka_is_required() -> bool:
    """Tell whether a missing Kafka fails the tests."""
    return os.environ.get("REQUIRE_KAFKA", "") not in ("", "0")


def local_kafka_settings() -> LocalKafkaSettings:
    """Give settings for a node of a test: any port, and a compiler that starts in half the time."""
    return LocalKafkaSettings(_env_file=None, kafka_port=0, kafka_java_options="-XX:TieredStopAtLevel=1")


def require_local_kafka() -> LocalKafkaSettings:
    """Give settings for nodes of a test; skip, or fail where Kafka is required, when none can be started."""
    settings = local_kafka_settings()
    try:
        java_program()
        jars_of(settings, print)
    except UnavailableError as error:
        missing_kafka(str(error))
    return settings


@contextmanager
def kafka_server(folder: Path) -> Iterator[Server]:
    """Give the first Kafka that can be had; skip, or fail where it is required, when there is none."""
    address = os.environ.get(ADDRESS_VARIABLE)
    if address:
        require_answer({"bootstrap.servers": address})
        yield Server(address, embedded=False)
        return
    try:
        node = start_local_kafka(folder, local_kafka_settings(), print)
    except UnavailableError as error:
        yield from _container(str(error))
        return
    try:
        yield Server(node.ports.bootstrap_servers, embedded=False)
    finally:
        node.stop()


def _container(why_not_local: str) -> Iterator[Server]:
    """Give Kafka in a container, where an engine answers."""
    from docker import from_env  # type: ignore[import-untyped]
    from docker.errors import DockerException  # type: ignore[import-untyped]
    from testcontainers.community.kafka import KafkaContainer

    try:
        from_env(timeout=5).ping()
    except DockerException:
        missing_kafka(f"{ADDRESS_VARIABLE} is not set, local Kafka: {why_not_local}, and no Docker engine answers")
    container = KafkaContainer().with_kraft().with_env("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false")
    with container:
        yield Server(container.get_bootstrap_server(), embedded=False)


def missing_kafka(reason: str) -> None:
    """Skip, or fail where Kafka is required."""
    if kafka_is_required():
        pytest.fail(f"REQUIRE_KAFKA is set and there is no Kafka: {reason}", pytrace=False)
    pytest.skip(f"no Kafka: {reason}")
