"""One watched system for all tests of operations."""

from collections.abc import Iterator

import pytest

from tests.brokers import Server
from tests.operations.watched_system import WatchedSystem, watched_system


@pytest.fixture(scope="package")
def watched(kafka_address: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedSystem]:
    """Give the whole system under load with Prometheus beside it.

    Whoever disturbs it mends it. Tests that ask for it are of the group `operations`, so that one process runs them.
    """
    with watched_system(kafka_address, tmp_path_factory.mktemp("operations")) as watched:
        yield watched
