"""Requests, asked of the real application."""

import asyncio
from pathlib import Path

import pytest

from gateway.client import RequestError, UnreachableError, connect, connect_sync
from gateway.client.credentials import Credentials
from gateway.presentation import public_form
from tests.gateway.recorder.events import spoken
from tests.gateway.samples import make_parts, prediction
from tests.gateway.test_history import parts_with
from tests.gateway.web import running
from tests.gateway_client.scripted import scripted
from tests.processes import free_port


async def test_the_latest_predictions_and_the_health_come_typed() -> None:
    given = [prediction("AAPL", 1), prediction("BRK.B", 2)]
    async with running(make_parts(*given)) as server, connect(server.url + "/") as client:
        assert await client.prediction("brk.b") == public_form(given[1])
        assert await client.latest() == [public_form(one) for one in given]
        health = await client.health()
        assert health.status == "degraded", "no other service reports"
        assert health.services["gateway"].state


async def test_recorded_bars_come_typed_the_newest_of_them_and_oldest_first(tmp_path: Path) -> None:
    said = spoken(20)
    parts = parts_with(f"sqlite:///{tmp_path}/history.db", said)
    async with running(parts) as server, connect(server.url) as client:
        bars = await client.past_bars("aapl", limit=5)
        assert [bar.bar_index for bar in bars] == [15, 16, 17, 18, 19]
        with pytest.raises(RequestError, match="404"):
            await client.past_bars("ZZZZ")


async def test_an_error_says_what_and_when_to_come_again() -> None:
    async with running(make_parts(prediction("AAPL", 1))) as server, connect(server.url) as client:
        with pytest.raises(RequestError, match="did you mean AAPL") as unknown:
            await client.prediction("APL")
        assert (unknown.value.status, unknown.value.problem["near_matches"]) == (404, ["AAPL"])
    async with running(make_parts(caught_up=False)) as server, connect(server.url) as client:
        with pytest.raises(RequestError) as early:
            await client.latest()
        assert (early.value.status, early.value.retry_after_seconds) == (503, 1.0)


async def test_nobody_there_and_somebody_else_there_are_told_apart() -> None:
    async with connect(f"http://127.0.0.1:{free_port()}") as client:
        with pytest.raises(UnreachableError):
            await client.health()
    async with scripted() as other, connect(other.url) as client:
        with pytest.raises(RequestError, match="426"):  # a WebSocket server, and no problem document
            await client.health()


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="http://127"):
        connect("127.0.0.1:8000")
    for address in ("http://", "http://[::1", "https://gateway:99999"):
        with pytest.raises(ValueError, match=address.replace("[", r"\[")):
            connect(address)


async def test_the_client_without_await_asks_too() -> None:
    given = prediction("AAPL", 1)

    def ask(url: str) -> None:
        with connect_sync(url) as client:
            assert client.prediction("AAPL") == public_form(given)
            assert client.latest() == [public_form(given)]
            assert client.health().status == "degraded"

    async with running(make_parts(given)) as server:
        await asyncio.to_thread(ask, server.url)


def test_the_key_goes_before_the_token_and_the_token_is_asked_for_each_time() -> None:
    tokens = iter("ab")
    credentials = Credentials(token=lambda: next(tokens))
    assert [credentials.headers()["Authorization"] for _ in range(2)] == ["Bearer a", "Bearer b"]
    assert Credentials("tc_1_x", lambda: "a").headers() == {"X-API-Key": "tc_1_x"}
    assert Credentials().headers() == {}
