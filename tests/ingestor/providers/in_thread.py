"""A local provider beside a test that waits for processes, or for what makes a loop of its own."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from threading import Thread
from typing import Any, Generic, TypeVar

import pytest

from tests.ingestor.providers.alpaca import FakeAlpaca
from tests.ingestor.providers.fake import KEY, SECRET, FakeProvider
from tests.ingestor.providers.polygon import FakePolygon

Fake = TypeVar("Fake", bound=FakeProvider)


class InThread(Generic[Fake]):
    """A fake with a loop of its own, beside a test that waits for processes."""

    def __init__(self, fake: Fake) -> None:
        self.fake = fake
        self._loop = asyncio.new_event_loop()
        self._running = self.fake.running()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.do(self._running.__aenter__())

    def do(self, work: Coroutine[Any, Any, Any]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def end(self) -> None:
        self.do(self._running.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


class AlpacaInThread(InThread[FakeAlpaca]):
    """Alpaca's."""

    def __init__(self) -> None:
        super().__init__(FakeAlpaca())

    def settings(self, folder: Path) -> dict[str, Any]:
        """Give what an ingestor of AAPL and MSFT must be told."""
        return {
            "source": "alpaca",
            "tickers": "AAPL,MSFT",
            "interval": "1m",
            "source_exchange": "24/7",
            "source_warm_up_bars": 0,
            "source_reconnect_seconds": 0,
            "source_budget_directory": folder / "budgets",
            "apca_api_key_id": KEY,
            "apca_api_secret_key": SECRET,
            "alpaca_stream_url": f"ws://127.0.0.1:{self.fake.port}",
            "alpaca_data_url": f"http://127.0.0.1:{self.fake.port}",
        }

    def be_asked_for_the_past(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        """Be what this process asks for bars, in a folder of its own, by the variables that Alpaca's documents use."""
        monkeypatch.chdir(folder)
        monkeypatch.setenv("APCA_API_KEY_ID", KEY)
        monkeypatch.setenv("APCA_API_SECRET_KEY", SECRET)
        monkeypatch.setenv("TICKCAST_ALPACA_DATA_URL", f"http://127.0.0.1:{self.fake.port}")
        self.fake.page_bars = 1_000


class PolygonInThread(InThread[FakePolygon]):
    """Polygon's."""

    def __init__(self) -> None:
        super().__init__(FakePolygon())

    def settings(self) -> dict[str, Any]:
        """Give what an ingestor must be told beside what is not Polygon's."""
        return {
            "polygon_api_key": KEY,
            "polygon_feed": "realtime",
            "polygon_stream": "trades",
            "polygon_requests_per_minute": 0,
            "polygon_stream_url": f"ws://127.0.0.1:{self.fake.port}",
            "polygon_data_url": f"http://127.0.0.1:{self.fake.port}",
        }
