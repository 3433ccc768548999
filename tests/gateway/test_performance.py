"""REST: figures for people."""

import multiprocessing
from ctypes import c_ubyte
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from gateway.performance import PerformanceMetrics, PerformanceSummary, Warmup
from gateway.workers.team import Post, State, Team
from schemas.events import ServiceState
from tests.gateway.samples import NOON_NS, make_parts, model_event, model_member, prediction, status
from tests.gateway.web import client_of

MS = 1_000_000


async def test_each_path_has_its_times_and_its_share_of_errors() -> None:
    parts = make_parts(prediction("AAPL", 1))
    for seconds, answer in ((0.002, 200), (0.002, 200), (0.003, 503), (0.2, 404)):
        parts.instruments.http_seconds.labels("/predict/{ticker}", answer).observe(seconds)
    for answer in (200, 503):  # not ready yet: that is what it is asked for
        parts.instruments.http_seconds.labels("/health", answer).observe(0.001)
    async with client_of(parts) as client:
        said = msgspec.json.decode((await client.get("/performance/metrics")).content, type=PerformanceMetrics)
        summary = msgspec.json.decode((await client.get("/performance/summary")).content, type=PerformanceSummary)
    paths = {one.path: one for one in said.paths}
    assert list(paths) == ["*", "/health", "/predict/{ticker}"]
    one = paths["/predict/{ticker}"]
    assert (one.count, one.error_rate, one.refusal_rate) == (4, 0.25, 0.25)
    assert one.average_seconds == pytest.approx(0.05175)
    assert 0.1 < one.p95_seconds <= 0.25
    assert (paths["*"].count, paths["*"].error_rate, paths["/health"].error_rate) == (6, 1 / 6, 0.0)
    assert summary.requests == 7  # that of the metrics too
    assert said.memory.current_bytes > 0
    assert (said.worker, summary.worker) == (None, None)


async def test_one_of_several_workers_says_whose_figures_it_gives() -> None:
    post = Post(2, multiprocessing.RawArray(c_ubyte, [State.READY] * 3), Path("nowhere"))
    parts = replace(make_parts(prediction("AAPL", 1)), team=Team(post))
    async with client_of(parts) as client:
        for path in ("/performance/metrics", "/performance/summary", "/warmup/status"):
            assert (await client.get(path)).json()["worker"] == 2


async def test_stages_and_prediction_times_are_those_of_the_newest_predictions() -> None:
    parts = make_parts(prediction("AAPL", 1))
    for predicting_ms in (50, 50, 50, 150):
        at = [NOON_NS - 200 * MS, NOON_NS - 190 * MS, NOON_NS - 190 * MS + predicting_ms * MS]
        given = prediction("AAPL", 1, ingested_at_ns=at[0], featured_at_ns=at[1], predicted_at_ns=at[2])
        parts.stage_times.note(given, NOON_NS)
    parts.rounds.took_ns.extend([1 * MS, 3 * MS])
    async with client_of(parts) as client:
        for path in ("/predict/AAPL", "/predict/AAPL", "/predictions", "/predictions?limit=1"):
            assert (await client.get(path)).status_code == 200
        said = msgspec.json.decode((await client.get("/performance/metrics")).content, type=PerformanceMetrics)
    assert said.predictions.share_under_100_ms == 0.75
    assert said.predictions.p50_seconds == 0.05
    assert said.stages["tick_to_feature"].p95_seconds == 0.01
    assert said.stages["tick_to_gateway"].average_seconds == 0.2
    assert said.stages["gateway_to_client"].average_seconds == 0.002
    assert (said.cache.hits, said.cache.misses, said.cache.hit_rate) == (3, 1, 0.75)


async def test_where_nothing_was_measured_nothing_is_claimed() -> None:
    async with client_of(make_parts(caught_up=False)) as client:
        said = msgspec.json.decode((await client.get("/performance/metrics")).content, type=PerformanceMetrics)
        warm = msgspec.json.decode((await client.get("/warmup/status")).content, type=Warmup)
    assert (said.cache.hit_rate, said.predictions.share_under_100_ms) == (None, None)
    assert (said.stages["tick_to_gateway"].p99_seconds, said.stages["gateway_to_client"].count) == (None, 0)
    assert (warm.ready, warm.seconds, warm.models_loaded) == (False, None, [])


async def test_the_warm_up_says_what_is_there_and_what_is_wrong() -> None:
    parts = make_parts(prediction("AAPL", 1))
    parts.condition.caught_up_at_ns = parts.board.event().started_at_ns + 1_500 * MS
    parts.models.accept(model_event(members=[model_member()]), 0)
    parts.services.accept(status("predictor", state=ServiceState.DEGRADED, message="lstm: cannot be read"), NOON_NS)
    parts.services.accept(status("ingestor"), NOON_NS)
    async with client_of(parts) as client:
        warm = msgspec.json.decode((await client.get("/warmup/status")).content, type=Warmup)
    assert (warm.ready, warm.seconds, warm.models_loaded) == (True, 1.5, ["random_forest"])
    assert [(one.name, one.training_seconds) for one in warm.models_trained] == [("random_forest", 3.5)]
    assert warm.errors == ["predictor: lstm: cannot be read"]
