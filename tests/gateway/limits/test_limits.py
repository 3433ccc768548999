"""Who asks too often is told so, by whom it is counted, and when to come back."""

from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from gateway.access.scopes import Scope
from gateway.limits.buckets import Limit, LocalBuckets
from gateway.limits.limits import Limits
from gateway.parts import Parts
from tests.gateway.access.people import key_of
from tests.gateway.limits.test_buckets import Clock
from tests.gateway.samples import make_parts, prediction
from tests.gateway.web import client_of, running

ONE_A_SECOND = {f"limit_{name}_per_second": 1.0 for name in ("key", "client", "costly", "refused")}
DEAR = (("POST", "/predict"), ("GET", "/bars/AAPL"), ("GET", "/api/v1/history/AAPL"), ("HEAD", "/features/AAPL"))


def limited_parts(clock: Clock, **changes: Any) -> Parts:
    """Give parts whose limits go by a clock of the test's; one comes back each second."""
    parts = make_parts(prediction("AAPL", 1), **(ONE_A_SECOND | changes))
    vars(parts)["limits"] = Limits(parts.settings, lambda limit: LocalBuckets(limit, clock))
    return parts


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_a_key_is_told_what_is_left_then_that_nothing_is_then_when_to_come_back(clock: Clock) -> None:
    parts = limited_parts(clock, auth_required=True, limit_key_burst=2)
    ours, theirs = ({"X-API-Key": key_of(parts, Scope.READ)[0]} for _ in range(2))
    async with client_of(parts) as client:
        for left in (1, 0):
            answer = await client.get("/predict/AAPL", headers=ours)
            assert answer.status_code == 200
            assert answer.headers["RateLimit-Policy"] == '"key";q=2;w=2'
            assert answer.headers["RateLimit"] == f'"key";r={left};t=1'
        refused = await client.get("/api/v1/predict/AAPL", headers=ours)
        assert refused.status_code == 429
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert refused.headers["RateLimit"] == '"key";r=0;t=1'
        assert refused.headers["Retry-After"] == "1"
        assert refused.headers["Cache-Control"] == "no-store"
        assert refused.json()["violated-policies"] == ["key"]
        assert (await client.get("/predict/AAPL", headers=theirs)).status_code == 200
        clock.now_ns += 10**9
        assert (await client.get("/predict/AAPL", headers=ours)).status_code == 200


async def test_dear_paths_have_a_limit_of_their_own_beside_that_of_the_key(clock: Clock) -> None:
    parts = limited_parts(clock, auth_required=True, limit_key_burst=50, limit_costly_burst=1)
    headers = {"X-API-Key": key_of(parts, Scope.READ)[0]}
    async with client_of(parts) as client:
        first = await client.post("/predict/batch", json=["AAPL"], headers=headers)
        assert first.headers["RateLimit"] == '"key";r=49;t=1, "costly";r=0;t=1'
        for method, path in (
            ("POST", "/predict"),
            ("GET", "/bars/AAPL"),
            ("GET", "/api/v1/history/AAPL"),
            ("HEAD", "/features/AAPL"),
            ("POST", "/feedback"),
            ("GET", "/usage"),
            ("POST", "/auth/refresh"),
            ("GET", "/accuracy?%62y=week&weeks=520"),
            ("GET", "/accuracy/AAPL?by=week"),
        ):
            refused = await client.request(method, path, json={}, headers=headers)
            assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1"), path
            assert refused.headers["RateLimit-Policy"] == '"key";q=50;w=50, "costly";q=1;w=1'
        for path in ("/predict/AAPL", "/predict/AAPL?horizon=1", "/accuracy"):
            assert (await client.get(path, headers=headers)).status_code == 200


async def test_without_a_key_the_address_is_counted_and_probes_never_are(clock: Clock) -> None:
    parts = limited_parts(clock, auth_required=True, limit_client_burst=1)
    async with client_of(parts) as client:
        assert (await client.get("/health")).headers["RateLimit"] == '"client";r=0;t=1'
        assert (await client.get("/health")).json()["violated-policies"] == ["client"]
        for path in ("/health/live", "/health/ready", "/page/main.js"):
            answer = await client.get(path)
            assert answer.status_code != 429
            assert "RateLimit" not in answer.headers


async def test_who_tries_keys_is_soon_refused_for_that_and_right_keys_still_come_in(clock: Clock) -> None:
    parts = limited_parts(clock, auth_required=True, limit_refused_burst=3)
    right = key_of(parts, Scope.READ)[0]
    async with client_of(parts) as client:
        keys = ("tc_abc_def", "tc_abc_ghi", right, "tc_abc_jkl", "tc_abc_mno")
        tried = [await client.post("/models/rollback", headers={"X-API-Key": key}) for key in keys]
        assert [answer.status_code for answer in tried] == [401, 401, 403, 429, 429]
        assert tried[0].headers["RateLimit"] == '"refused";r=2;t=1'
        assert tried[0].headers["WWW-Authenticate"]
        assert (await client.get("/predict/AAPL", headers={"X-API-Key": right})).status_code == 200
        clock.now_ns += 10**9
        assert (await client.get("/predict/AAPL")).status_code == 401


async def test_nobody_is_limited_where_nobody_is_asked_for_a_key_unless_a_setting_says_so(clock: Clock) -> None:
    async with client_of(limited_parts(clock, limit_client_burst=1)) as client:
        for _ in range(3):
            answer = await client.get("/predict/AAPL")
            assert answer.status_code == 200
            assert not {"ratelimit", "ratelimit-policy"} & set(answer.headers)
    async with client_of(limited_parts(clock, limit_client_burst=1, limit_requests=True)) as client:
        assert [(await client.get("/predict/AAPL")).status_code for _ in range(2)] == [200, 429]
    parts = limited_parts(clock, auth_required=True, limit_requests=False, limit_refused_burst=1)
    async with client_of(parts) as client:
        assert [(await client.get("/predict/AAPL")).status_code for _ in range(2)] == [401, 401]


async def test_opening_a_socket_is_a_request_like_any_other(clock: Clock) -> None:
    parts = limited_parts(clock, auth_required=True, limit_key_burst=1)
    headers = {"X-API-Key": key_of(parts, Scope.STREAM)[0]}
    async with running(parts) as server:
        async with connect(server.socket_url, additional_headers=headers) as connection:
            assert connection.response is not None
            assert connection.response.headers["RateLimit"] == '"key";r=0;t=1'
        with pytest.raises(InvalidStatus) as refused:
            await connect(server.socket_url, additional_headers=headers)
        assert refused.value.response.status_code == 429
        assert refused.value.response.headers["Retry-After"] == "1"


def test_each_limit_comes_from_its_settings() -> None:
    settings = make_parts(limit_costly_per_second=0.5, limit_costly_burst=7).settings
    assert settings.limit("costly") == Limit("costly", 0.5, 7)
    assert settings.limit("key") == Limit("key", 50.0, 100)
