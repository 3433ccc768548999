"""What workers that share a port know of each other."""

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import c_ubyte
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from gateway.batch import LARGEST_BATCH
from gateway.instruments import Instruments
from gateway.workers.answers import answers_of
from gateway.workers.crew import delay_seconds, run_workers
from gateway.workers.metrics import together
from gateway.workers.team import Post, State, Team
from schemas.errors import EXIT_STOP_AND_SAY
from tests.gateway.samples import make_parts, prediction, settings
from tests.gateway.web import DEADLINE_SECONDS, client_of, until
from tests.gateway.workers.stopping import stop_and_say


def teams(folder: Path, count: int = 2) -> list[Team]:
    states = (c_ubyte * count)()
    return [Team(Post(number, states, folder)) for number in range(1, count + 1)]


def samples_of(text: bytes) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.values()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_every_sample_says_whose_it_is_and_a_worker_without_an_answer_is_seen_to_be_missing() -> None:
    texts = {}
    for number in (1, 2):
        instruments = Instruments(CollectorRegistry())
        instruments.http_seconds.labels("/a {b}", 200).observe(number)
        instruments.tickers.set(10 * number)
        texts[number] = instruments.text()
    text = together({**texts, 3: None})
    samples = samples_of(text)
    heads = [line for line in text.decode().splitlines() if line.startswith("#")]
    assert len(heads) == len(set(heads))
    for worker in ("1", "2"):
        assert samples["tickcast_tickers", (worker,)] == 10 * int(worker)
        labels = tuple(sorted((worker, "/a {b}", "200")))
        assert samples["tickcast_http_request_seconds_sum", labels] == int(worker)
    assert [samples["tickcast_gateway_workers", (worker,)] for worker in ("1", "2", "3")] == [1, 1, 0]


async def test_each_worker_gives_the_figures_of_all_that_answer(tmp_path: Path) -> None:
    first, second = teams(tmp_path)
    assert samples_of(await first.metrics(b"a 1\n"))["tickcast_gateway_workers", ("2",)] == 0
    answering = asyncio.create_task(second.answer(lambda _: b"# HELP a x\n# TYPE a gauge\na 2\n"))
    try:
        await until((tmp_path / "2.sock").exists, "the second's socket")
        samples = samples_of(await first.metrics(b"# HELP a x\n# TYPE a gauge\na 1\n"))
    finally:
        answering.cancel()
    assert (samples["a", ("1",)], samples["a", ("2",)]) == (1, 2)
    assert await Team().metrics(b"a 1\n") == b"a 1\n"  # alone, as it is


async def test_a_batch_that_another_worker_took_is_found(tmp_path: Path) -> None:
    first, second = (replace(make_parts(prediction("AAPL", 1)), team=team) for team in teams(tmp_path))
    answering = asyncio.create_task(first.team.answer(answers_of(first)))
    try:
        await until((tmp_path / "1.sock").exists, "the first's socket")
        async with client_of(first) as taking, client_of(second) as asking:
            job = (await taking.post("/predict/batch", json=["AAPL"] * (LARGEST_BATCH + 1))).json()["href"]
            answer = await asking.get(job)
            assert (answer.status_code, answer.json()["job"]) == (200, job.rpartition("/")[2])
            assert (await asking.get("/jobs/batch-0-1")).status_code == 404
            first.batches._batches.clear()
            assert [(await client.get(job)).status_code for client in (taking, asking)] == [410, 410]
    finally:
        answering.cancel()


async def test_ready_is_when_every_worker_has_been_and_stays_so_while_one_is_started_again(tmp_path: Path) -> None:
    first, second = teams(tmp_path)
    parts = replace(make_parts(), team=first)
    async with client_of(parts) as client:
        first.note_ready()
        assert (await client.get("/health/ready")).status_code == 503
        assert (await client.get("/predictions")).status_code == 200  # what it has, it gives
        second.note_ready()
        assert (await client.get("/health/ready")).status_code == 200
        second._post.states[1] = State.GONE  # type: ignore[union-attr]  # as the crew does when it dies
        assert (await client.get("/health/ready")).status_code == 200


async def test_a_worker_that_comes_back_takes_no_clients_before_it_can_answer_while_another_one_can(
    tmp_path: Path,
) -> None:
    first, second = teams(tmp_path)
    await asyncio.wait_for(second.turn_to_serve(lambda: False), DEADLINE_SECONDS)  # nobody can: at once
    first.note_ready()
    turn = asyncio.create_task(second.turn_to_serve(lambda: False))
    await asyncio.sleep(0.2)
    assert not turn.done()
    second.note_ready()
    await asyncio.wait_for(turn, DEADLINE_SECONDS)
    await asyncio.wait_for(teams(tmp_path)[0].turn_to_serve(lambda: True), DEADLINE_SECONDS)


def test_delays_double_up_to_a_bound() -> None:
    assert [delay_seconds(deaths) for deaths in (1, 2, 3, 10, 10_000)] == [0.5, 1, 2, 15, 15]


@contextmanager
def kept_signals() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_worker_that_must_not_be_started_again_ends_all() -> None:
    with socket.socket() as listener, kept_signals(), pytest.raises(SystemExit) as exited:
        run_workers(settings(gateway_workers=2), listener, stop_and_say)
    assert exited.value.code == EXIT_STOP_AND_SAY
