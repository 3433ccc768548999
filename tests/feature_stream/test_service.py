"""How the stage begins and ends, whatever the broker does."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest
from faust.exceptions import ConsistencyError

from feature_stream import app, service
from feature_stream.service import FeatureStream
from feature_stream.settings import FeatureStreamSettings
from schemas.errors import StopAndSayError
from schemas.settings import load_settings


class Left(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FeatureStream:
    monkeypatch.setattr(service, "StageFigures", MagicMock())
    monkeypatch.setattr(service, "Outputs", MagicMock())
    monkeypatch.setattr(service, "_STOP_WITHIN_SECONDS", 0.05)
    monkeypatch.setattr(service, "_LAST_WORD_SECONDS", 0.05)
    monkeypatch.setattr(service, "leave_at_once", MagicMock(side_effect=Left))
    monkeypatch.setattr(service, "end_process", MagicMock(side_effect=Left))
    settings = FeatureStreamSettings(kafka_bootstrap_servers="127.0.0.1:1", data_directory=tmp_path, _env_file=None)
    made = FeatureStream(settings, None)
    made._app = MagicMock(start=AsyncMock(), stop=AsyncMock())
    return made


async def _for_ever(*_: Any) -> None:
    await asyncio.Event().wait()


def test_a_stop_is_heard_while_the_broker_does_not_answer(stream: FeatureStream) -> None:
    async def scenario() -> None:
        stream._app.start = _for_ever
        stream._ended.set()
        with pytest.raises(Left):
            await asyncio.wait_for(stream._start(), 10)

    asyncio.run(scenario())


def test_an_error_while_faust_starts_ends_the_process(stream: FeatureStream) -> None:
    async def scenario() -> None:
        stream._app.start = AsyncMock(side_effect=OSError("no route"))
        await stream._start()
        with pytest.raises(Left):
            await stream._drain([])
        stream._app.stop.assert_not_called()

    asyncio.run(scenario())


def test_a_checkpoint_under_way_is_finished_before_the_last_one(
    stream: FeatureStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_LAST_WORD_SECONDS", 5.0)
    finished: list[int] = []
    one_at_a_time = asyncio.Lock()
    started: list[int] = []

    async def write(_commit: Any) -> None:
        started.append(number := len(started))
        async with one_at_a_time:
            await asyncio.sleep(0.01)
            finished.append(number)

    async def scenario() -> None:
        stream._checkpointer = MagicMock(write=write)
        periodic = asyncio.create_task(stream._checkpoints())
        await asyncio.sleep(0)
        assert started == [0]
        await stream._drain([periodic])
        assert finished == [0, 1]

    asyncio.run(scenario())


def test_a_last_checkpoint_that_nobody_acknowledges_does_not_hold_up_the_stop(stream: FeatureStream) -> None:
    async def scenario() -> None:
        stream._checkpointer = MagicMock(write=_for_ever)
        await asyncio.wait_for(stream._drain([]), 10)
        assert stream._failure is None
        stream._app.stop.assert_called_once()

    asyncio.run(scenario())


def test_files_ahead_of_their_changelog_are_another_log(stream: FeatureStream) -> None:
    stream._app.crash_reason = ConsistencyError("7 > -1")
    crash = stream._crash()
    assert isinstance(crash, StopAndSayError)
    assert "--fresh" in str(crash)


def test_rocksdb_that_is_not_installed_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(app, "find_spec", lambda _name: None)
    settings = FeatureStreamSettings(state_store="rocksdb", data_directory=tmp_path, _env_file=None)
    with pytest.raises(StopAndSayError, match=r"tickcast\[rocksdb\]"):
        app.make_app(settings)


def test_a_lateness_that_would_keep_thousands_of_bars_open_is_refused_with_the_most_that_may_be() -> None:
    with pytest.raises(StopAndSayError, match=r"TICKCAST_LATENESS_MS: at most 100000 \(100 bars of 1s\)"):
        load_settings(FeatureStreamSettings, interval="1s", lateness_ms=100_001)
    assert load_settings(FeatureStreamSettings, interval="1s", lateness_ms=100_000).lateness_ms == 100_000


def test_faust_is_not_asked_to_remember_what_was_acknowledged(stream: FeatureStream) -> None:
    assert stream._topic.acks is False  # it would, every message, until a commit that never comes


def test_checkpoints_are_an_interval_apart_from_start_to_start(
    stream: FeatureStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    lasting, waits, clock = [0.4, 1.5], list[float](), SimpleNamespace(now=100.0)

    async def write(_commit_offsets: Any) -> None:
        clock.now += lasting.pop(0)

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        stream._closed = not lasting

    monkeypatch.setattr(service, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(service, "asyncio", SimpleNamespace(sleep=sleep))
    monkeypatch.setattr(stream._checkpointer, "write", write)
    asyncio.run(stream._checkpoints())
    assert waits == pytest.approx([0.6, 0.0])
