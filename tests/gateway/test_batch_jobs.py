"""Batches that are too large to be answered at once: queued, worked on in turns, kept for a while."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from gateway import batch_jobs
from gateway.batch_jobs import KEPT_SECONDS, MOST_WAITING
from gateway.parts import Parts
from schemas.events import ServiceState
from tests.gateway.samples import NOON_NS, make_parts, prediction
from tests.gateway.web import client_of, until

MANY = ["msft", "ZZZ", *["AAPL"] * 4_998]


class Clock:
    """The wall, as a test sets it."""

    def __init__(self) -> None:
        self.now_ns = NOON_NS

    def __call__(self) -> int:
        return self.now_ns


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def parts(clock: Clock) -> Parts:
    parts = replace(make_parts(prediction("AAPL", 1), prediction("MSFT", 2)), clock_ns=clock)
    parts.board.set_state(ServiceState.READY)
    return parts


async def send(client: httpx.AsyncClient, tickers: list[str], status: int = 202) -> dict[str, Any]:
    answer = await client.post("/api/v1/predict/batch", json={"tickers": tickers})
    assert answer.status_code == status, answer.text
    said: dict[str, Any] = answer.json()
    return said


async def fetch(client: httpx.AsyncClient, href: str, status: int = 200) -> dict[str, Any]:
    answer = await client.get(href)
    assert answer.status_code == status, answer.text
    said: dict[str, Any] = answer.json()
    return said


async def ended(client: httpx.AsyncClient, href: str) -> dict[str, Any]:
    """Wait for the end of a batch."""
    while (said := await fetch(client, href))["status"] in ("queued", "running"):
        assert "predictions" not in said
        await asyncio.sleep(0)
    return said


async def test_a_large_batch_is_a_job_with_the_same_predictions_as_a_small_one(parts: Parts) -> None:
    async with client_of(parts) as client:
        taken = await send(client, MANY)
        assert (taken["status"], taken["href"]) == ("queued", f"/api/v1/jobs/{taken['job']}")
        said = await ended(client, taken["href"])
        assert (said["status"], said["action"], said["tickers"]) == ("done", "predict_batch", 5_000)
        assert said["predictions"][:3] == (await send(client, MANY[:3], 200))["predictions"]
        assert len(said["predictions"]) == 5_000
        assert "age_seconds" not in said


async def test_while_kafka_is_away_a_batch_says_how_old_it_is(parts: Parts, clock: Clock) -> None:
    parts.board.set_state(ServiceState.DEGRADED)
    parts.condition.heard_at_ns = clock.now_ns - 7_000_000_000
    async with client_of(parts) as client:
        said = await ended(client, (await send(client, MANY))["href"])
        assert said["age_seconds"] == 7.0
        assert said["predictions"][0]["degraded"]


async def test_what_cannot_wait_is_sent_away(parts: Parts) -> None:
    async with client_of(parts) as client:
        working = asyncio.Event()

        async def work() -> bytes:
            await working.wait()
            return b'{"predictions":[]}'

        first = parts.batches.take(501, work)
        await asyncio.sleep(0)
        waiting = [(await send(client, MANY[:501]))["href"] for _ in range(MOST_WAITING)]
        assert (await send(client, MANY, 503))["type"].endswith("too-many-batches")
        assert [(await fetch(client, href))["status"] for href in (first.href, waiting[0])] == ["running", "queued"]
        working.set()
        assert [(await ended(client, href))["status"] for href in waiting] == ["done"] * MOST_WAITING


async def test_what_is_old_or_too_much_is_gone_and_the_newest_stays(
    parts: Parts, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client_of(parts) as client:
        old = (await send(client, MANY))["href"]
        await ended(client, old)
        clock.now_ns += (KEPT_SECONDS + 1) * 10**9
        assert "send it again" in (await fetch(client, old, 410))["detail"]
        monkeypatch.setattr(batch_jobs, "KEPT_BYTES", 1)
        two = [(await send(client, MANY))["href"] for _ in range(2)]
        assert (await ended(client, two[1]))["status"] == "done"
        await fetch(client, two[0], 410)


async def test_another_process_says_that_it_is_not_its_own(parts: Parts) -> None:
    async with client_of(parts) as client, client_of(make_parts(prediction("AAPL"))) as other:
        href = (await send(client, MANY))["href"]
        assert "another gateway" in (await fetch(other, href, 404))["detail"]
        for never in ("99", "0", "x", "-1", "²", "1" * 5_000):
            await fetch(client, href.rpartition("-")[0] + f"-{never}", 404)


async def test_a_batch_that_fails_says_so_and_the_next_one_is_worked_on(parts: Parts) -> None:
    async def fail() -> bytes:
        raise RuntimeError("a bug")

    failing = parts.batches.take(501, fail)
    async with client_of(parts) as client:
        following = (await send(client, MANY))["href"]
        await until(lambda: b'"failed"' in parts.batches.body_of(failing.job), "the failure")
        assert (await ended(client, following))["status"] == "done"
