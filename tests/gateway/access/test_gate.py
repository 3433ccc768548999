"""Who may come in: every path with no key, a wrong one, an expired, a revoked, one with too little scope, the right."""

import asyncio
import contextlib
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.routing import BaseRoute, Route
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.access.keys import ApiKey, make_key
from gateway.access.scopes import TABLE, Scope, ScopeTable
from gateway.app import build_app
from gateway.parts import Parts
from schemas.close_codes import CloseCode
from tests.gateway.samples import NOON_NS, make_parts, prediction
from tests.gateway.web import DEADLINE_SECONDS, client_of, running, talking

EVERYTHING = frozenset(Scope)
LINES = [(scope, *line.split(" ", 1)) for scope, lines in TABLE.items() for line in lines]


def key_of(parts: Parts, *scopes: Scope, **changes: Any) -> tuple[str, ApiKey]:
    """Make a key that the gateway knows."""
    text, key = make_key("test", frozenset(scopes), NOON_NS - 1)
    kept = ApiKey(**{name: getattr(key, name) for name in ApiKey.__slots__} | changes)
    parts.keys.accept([kept])
    return text, kept


@pytest.fixture
def parts() -> Parts:
    return make_parts(prediction("AAPL", 1), auth_required=True)


def path_of(template: str) -> str:
    return re.sub(r"\{[^}]*\}", "AAPL", template)


def routes_of(app: Any) -> Iterator[BaseRoute]:
    """Find the routes beneath all layers, those of included routers too."""
    while not hasattr(app, "routes"):
        app = next(inner for name in ("_app", "_api") if (inner := getattr(app, name, None)) is not None)
    yield from _leaves(app.routes)


def _leaves(routes: list[Any]) -> Iterator[BaseRoute]:
    for route in routes:
        included = getattr(route, "original_router", None)
        yield from _leaves(included.routes) if included is not None else [route]


def test_every_route_is_in_the_table(parts: Parts) -> None:
    table = ScopeTable()
    routes = list(routes_of(build_app(parts)))
    assert {"/predict/{ticker:text}", "/health", "/ws/bars"} <= {getattr(route, "path", "") for route in routes}
    for route in routes:
        path = path_of(str(getattr(route, "path", "")))
        if not isinstance(route, Route):  # a folder of files
            path += "/x"
        for method in {*(getattr(route, "methods", None) or {"GET"})} - {"HEAD", "OPTIONS"}:
            assert table.needed(method, path) is not None, f"add {method} {path} to TABLE in gateway/access/scopes.py"


@pytest.mark.parametrize(("scope", "method", "template"), LINES)
async def test_every_path_lets_in_whom_it_should_and_nobody_else(
    parts: Parts, scope: Scope | None, method: str, template: str
) -> None:
    others = EVERYTHING - {scope}
    keys = {
        "none": None,
        "wrong": "tc_abc_def",
        "expired": key_of(parts, *EVERYTHING, expires_ns=NOON_NS)[0],
        "revoked": key_of(parts, *EVERYTHING, revoked_ns=NOON_NS)[0],
        "too little": key_of(parts, *others)[0],
    }
    refused = {"none": 401, "wrong": 401, "expired": 401, "revoked": 401, "too little": 403}
    endless = template.startswith("/events/")
    right = None if endless else key_of(parts, *([scope] if scope else []))[0]
    async with client_of(parts) as client:
        for name, text in keys.items():
            headers = {} if text is None else {"X-API-Key": text}
            answer = await client.request(method, path_of(template), headers=headers)
            assert (answer.status_code == refused[name]) is (scope is not None), (name, answer.text)
        if right is not None:
            for headers in ({"X-API-Key": right}, {"Authorization": f"Bearer {right}"}):
                answer = await client.request(method, path_of(template), headers=headers)
                assert answer.status_code not in (401, 403), answer.text


async def test_what_is_not_in_the_table_is_open_to_nobody(parts: Parts) -> None:
    headers = {"X-API-Key": key_of(parts, *EVERYTHING)[0]}
    async with client_of(parts) as client:
        for method, path in (("GET", "/nothing"), ("DELETE", "/predictions"), ("GET", "/predictions/"), ("PUT", "/")):
            assert (await client.request(method, path, headers=headers)).status_code == 403
            assert (await client.request(method, path)).status_code == 401


async def test_health_shows_details_to_those_with_a_key_only(parts: Parts) -> None:
    key = key_of(parts, Scope.READ)[0]
    async with client_of(parts) as client:
        assert (await client.get("/health")).json()["services"] == {}
        assert (await client.get("/health", headers={"X-API-Key": "tc_abc_def"})).json()["services"] == {}
        assert "gateway" in (await client.get("/health", headers={"X-API-Key": key})).json()["services"]


def test_a_path_that_two_templates_match_asks_for_what_both_do() -> None:
    table = ScopeTable({Scope.READ: ["GET /a/{b}/c"], Scope.ADMIN: ["GET /a/b/{c}", "POST /a/b/{c}"]})
    assert table.needed("GET", "/a/b/c") == frozenset({Scope.READ, Scope.ADMIN})
    assert table.needed("POST", "/a/b/c") == frozenset({Scope.ADMIN})
    assert table.needed("POST", "/a/x/c") is None


async def test_nobody_is_asked_where_no_key_is_required() -> None:
    async with client_of(make_parts(prediction("AAPL", 1))) as client:
        assert (await client.get("/predict/AAPL", headers={"X-API-Key": "tc_abc_def"})).status_code == 200
        assert (await client.get("/nothing")).status_code == 404


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("{}", "application/json; charset=utf-8", 405),
        ("", "", 405),
        ("{}", "text/plain", 415),
        ("a=1", "application/x-www-form-urlencoded", 415),
        ("{}", "", 415),
        ("1" * 1_025, "application/json", 413),
    ],
)
async def test_bodies_are_json_and_not_too_large(body: str, content_type: str, status: int) -> None:
    async def pieces() -> Any:
        yield body.encode()

    async with client_of(make_parts(maximum_body_bytes=1_024)) as client:
        for content in (body, pieces()):  # with its length declared, and without
            headers = {"Content-Type": content_type} if content_type else {}
            answer: httpx.Response = await client.post("/predictions", content=content, headers=headers)
            assert answer.status_code == status, answer.text


async def test_a_socket_asks_for_its_scope_and_ends_once_its_key_is_revoked_and_others_stay(parts: Parts) -> None:
    reader, _ = key_of(parts, Scope.READ)
    streamer, kept = key_of(parts, Scope.STREAM)
    other, _ = key_of(parts, Scope.STREAM)
    async with running(parts) as server:
        for headers, status in (({"X-API-Key": "tc_no_key"}, 401), ({"X-API-Key": reader}, 403)):
            with pytest.raises(InvalidStatus) as refused:
                await connect(server.socket_url, additional_headers=headers)
            assert refused.value.response.status_code == status
        async with (
            connect(server.socket_url, additional_headers={"X-API-Key": streamer}) as ours,
            connect(server.socket_url, additional_headers={"X-API-Key": other}) as theirs,
        ):
            await asyncio.wait_for(ours.recv(), DEADLINE_SECONDS)
            await asyncio.wait_for(theirs.recv(), DEADLINE_SECONDS)
            values = {name: getattr(kept, name) for name in ApiKey.__slots__} | {"revoked_ns": NOON_NS}
            parts.keys.accept([ApiKey(**values)])
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(ours.recv(), DEADLINE_SECONDS)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == CloseCode.REVOKED
            await theirs.send('{"action": "subscribe", "tickers": ["AAPL"]}')
            assert '"subscribed"' in str(await asyncio.wait_for(theirs.recv(), DEADLINE_SECONDS))


async def code_of(connection: ClientConnection) -> int:
    """Read until the gateway closes; give the code."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        with contextlib.suppress(ConnectionClosed):
            async for _ in connection:
                pass
        await connection.wait_closed()
    assert connection.close_code is not None
    return connection.close_code


async def test_a_browsers_socket_says_its_key_in_the_first_message(parts: Parts) -> None:
    streamer, kept = key_of(parts, Scope.STREAM, expires_ns=NOON_NS + 3_600 * 10**9)
    async with running(parts) as server, talking(server) as client:
        await client.say(action="subscribe", tickers=["AAPL"], id="early")
        refused = await client.hear_kind("error")
        assert (refused["code"], refused["id"]) == ("auth_required", "early")
        await client.say(action="auth", key=streamer, id="me")
        answer = await client.hear_kind("authenticated")
        assert (answer["scopes"], answer["expires_at"], answer["id"]) == (["stream"], "2024-01-01T13:00:00Z", "me")
        await client.say(action="subscribe", tickers=["AAPL"])
        await client.hear_kind("subscribed")
        await client.hear_kind("snapshot")
        parts.keys.accept([replace(kept, revoked_ns=NOON_NS)])
        assert await code_of(client.connection) == CloseCode.REVOKED


async def test_another_key_takes_the_place_of_the_first(parts: Parts) -> None:
    first, old = key_of(parts, Scope.STREAM)
    second, new = key_of(parts, Scope.STREAM)
    async with running(parts) as server, talking(server) as client:
        for key in (first, second):
            await client.say(action="auth", key=key)
            await client.hear_kind("authenticated")
        parts.keys.accept([replace(old, revoked_ns=NOON_NS)])
        await client.say(action="subscribe", tickers=["AAPL"])
        await client.hear_kind("subscribed")
        parts.keys.accept([replace(new, revoked_ns=NOON_NS)])
        assert await code_of(client.connection) == CloseCode.REVOKED


@pytest.mark.parametrize(
    ("scope", "trouble", "code"),
    [
        (Scope.STREAM, {"revoked_ns": NOON_NS - 1}, CloseCode.AUTH_FAILED),
        (Scope.STREAM, {"expires_ns": NOON_NS - 1}, CloseCode.AUTH_FAILED),
        (Scope.READ, {}, CloseCode.FORBIDDEN),
    ],
)
async def test_a_key_that_does_not_let_in_ends_the_socket(
    scope: Scope, trouble: dict[str, int], code: CloseCode, parts: Parts
) -> None:
    text, _ = key_of(parts, scope, **trouble)
    async with running(parts) as server, talking(server) as client:
        await client.say(action="auth", key=text)
        assert await code_of(client.connection) == code


async def test_who_does_not_say_who_he_is_in_time_is_sent_away(parts: Parts) -> None:
    async with running(parts) as server, talking(server) as client:
        assert await code_of(client.connection) == CloseCode.AUTH_REQUIRED
