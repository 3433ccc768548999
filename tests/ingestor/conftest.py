"""Local providers beside tests that wait for processes."""

from collections.abc import Iterator

import pytest

from tests.ingestor.providers.in_thread import AlpacaInThread, PolygonInThread


@pytest.fixture
def alpaca() -> Iterator[AlpacaInThread]:
    """Serve as Alpaca does."""
    server = AlpacaInThread()
    yield server
    server.end()


@pytest.fixture
def polygon() -> Iterator[PolygonInThread]:
    """Serve as Polygon does."""
    server = PolygonInThread()
    yield server
    server.end()
