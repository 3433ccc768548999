"""Who may come in: every path with no key or token, a wrong one, an expired, a revoked, one with too little scope, the
right."""

import asyncio
import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import httpx
import pytest
from starlette.routing import BaseRoute, Match, Route
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.access.gate import STAY, Gate
from gateway.access.scopes import TABLE, Scope, ScopeTable
from gateway.access.stay import Stay
from gateway.access.tokens import ACCESS_NS, NEWS_NS, TICKET_NS, Audience, TokenMint
from gateway.access.users import User
from gateway.app import build_app
from gateway.limits.refusals import Refusals
from gateway.parts import Parts
from schemas.close_codes import CloseCode
from tests.gateway.access.people import EVERYTHING, key_of, token_of
from tests.gateway.deaf import deaf_client
from tests.gateway.samples import NOON_NS, make_parts, prediction, publish
from tests.gateway.web import DEADLINE_SECONDS, client_of, running, talking, until

LINES = [(scope, *line.split(" ", 1)) for scope, lines in TABLE.items() for line in lines]
Headers = dict[str, str]


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


def bearer(text: str) -> Headers:
    return {"Authorization": f"Bearer {text}"}


def refused_callers(parts: Parts, scope: Scope | None) -> dict[str, tuple[Headers, int]]:
    """Give headers that no path may accept that asks for anything, and what it answers."""
    others = EVERYTHING - {scope}
    forged = TokenMint("another key, which is as long as it has to be too").sign(
        Audience.ACCESS, NOON_NS, NOON_NS + 10**12, sub="ada", sid="session", scope="read stream admin"
    )
    parts.keys.accept(ended_sessions=["ended"])
    tokens = {
        "wrong token": (forged, 401),
        "unsigned token": (f"{forged.rpartition('.')[0]}.", 401),
        "refresh token": (token_of(parts, *EVERYTHING, audience=Audience.REFRESH), 401),
        "ticket": (token_of(parts, *EVERYTHING, audience=Audience.EVENTS), 401),
        "expired token": (token_of(parts, *EVERYTHING, lifetime_ns=0), 401),
        "disabled user": (token_of(parts, *EVERYTHING, user="bob", disabled_ns=NOON_NS), 401),
        "ended session": (token_of(parts, *EVERYTHING, session="ended"), 401),
        "token with too little": (token_of(parts, *others), 403),
        "user with too little": (token_of(parts, *EVERYTHING, user="eve", scopes=others), 403),
    }
    keys = {
        "wrong key": ("tc_abc_def", 401),
        "expired key": (key_of(parts, *EVERYTHING, expires_ns=NOON_NS)[0], 401),
        "revoked key": (key_of(parts, *EVERYTHING, revoked_ns=NOON_NS)[0], 401),
        "key with too little": (key_of(parts, *others)[0], 403),
    }
    return {
        "nothing": ({}, 401),
        **{name: ({"X-API-Key": text}, status) for name, (text, status) in keys.items()},
        **{name: (bearer(text), status) for name, (text, status) in tokens.items()},
    }


@pytest.mark.parametrize(("scope", "method", "template"), LINES)
async def test_every_path_lets_in_whom_it_should_and_nobody_else(
    parts: Parts, scope: Scope | None, method: str, template: str
) -> None:
    needed = [scope] if scope else []
    right = key_of(parts, *needed)[0]
    async with client_of(parts) as client:
        for name, (headers, status) in refused_callers(parts, scope).items():
            answer = await client.request(method, path_of(template), headers=headers)
            assert (answer.status_code == status) is (scope is not None), (name, answer.text)
        if template == "/events/predictions":  # without an end
            return
        for headers in ({"X-API-Key": right}, bearer(right), bearer(token_of(parts, *needed))):
            answer = await client.request(method, path_of(template), headers=headers)
            assert answer.status_code not in (401, 403), answer.text


async def test_what_is_not_in_the_table_is_open_to_nobody(parts: Parts) -> None:
    headers = {"X-API-Key": key_of(parts, *EVERYTHING)[0]}
    async with client_of(parts) as client:
        for method, path in (("GET", "/nothing"), ("DELETE", "/predictions"), ("GET", "/predictions/"), ("PUT", "/")):
            assert (await client.request(method, path, headers=headers)).status_code == 403
            assert (await client.request(method, path)).status_code == 401


METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")


def has_route(routes: list[BaseRoute], method: str, path: str) -> bool:
    """Tell whether a route takes this; a folder of files takes whatever it is asked, and refuses it itself."""
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
    found = [route for route in routes if route.matches(scope)[0] is Match.FULL]
    return any(isinstance(route, Route) or method == "GET" for route in found)


@pytest.mark.parametrize("auth_required", [True, False])
async def test_what_a_path_takes_is_told_to_everybody_and_only_of_paths_that_are_in_the_table(
    auth_required: bool,
) -> None:
    parts = make_parts(auth_required=auth_required, limit_requests=False)
    headers = {"X-API-Key": key_of(parts, *EVERYTHING)[0]}
    routes = list(routes_of(build_app(parts)))
    async with client_of(parts) as client:
        for path in {path_of(line.partition(" ")[2]) for lines in TABLE.values() for line in lines}:
            answer = await client.options(path)
            assert (answer.status_code, answer.content) == (204, b""), (path, answer.text)
            methods = {method for method in METHODS if has_route(routes, method, path)}
            expected = methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
            assert answer.headers["allow"].split(", ") == sorted(expected), path
        assert (await client.options("/nothing")).status_code == (401 if auth_required else 404)
        assert (await client.options("/nothing", headers=headers)).status_code == (403 if auth_required else 404)


def test_a_method_that_a_table_gains_is_allowed_at_once() -> None:
    table = ScopeTable({Scope.ADMIN: ["DELETE /a/{b}"], Scope.READ: ["GET /a/{b}", "POST /c"]})
    assert table.methods("/a/x") == ["DELETE", "GET", "HEAD", "OPTIONS"]
    assert table.methods("/c") == ["OPTIONS", "POST"]
    assert (table.methods("/d"), table.needed("OPTIONS", "/d")) == ([], None)


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


@pytest.mark.parametrize("body", [b'{"ticker": "\xff"}', b'["\xed\xa0\x80"]', b'"\\ud800"', b"\xff", b"[" * 10_000])
async def test_what_is_no_json_is_the_callers_error(body: bytes) -> None:
    async with client_of(make_parts(prediction("AAPL", 1))) as client:
        for path in ("/predict", "/predict/batch", "/feedback", "/models/rollback"):
            answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})
            assert (answer.status_code, answer.json()["field"]) == (400, "body"), path


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
            parts.keys.accept([replace(kept, revoked_ns=NOON_NS)])
            with pytest.raises(ConnectionClosed) as closed:
                await asyncio.wait_for(ours.recv(), DEADLINE_SECONDS)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == CloseCode.REVOKED
            await theirs.send('{"action": "subscribe", "tickers": ["AAPL"]}')
            assert '"subscribed"' in str(await asyncio.wait_for(theirs.recv(), DEADLINE_SECONDS))


async def test_a_revocation_reaches_a_socket_whose_client_does_not_read_its_snapshot() -> None:
    snapshot = [prediction(f"T{number}", number) for number in range(1_500)]
    parts = make_parts(*snapshot, auth_required=True, client_stall_seconds=3_600)
    key, kept = key_of(parts, Scope.STREAM)
    async with running(parts) as server, deaf_client(server, parts, key) as deaf:
        (connection,) = server.server.server_state.connections
        writable: asyncio.Event = connection.writable  # type: ignore[union-attr]  # of a WebSocket
        await until(lambda: not writable.is_set(), "nothing more fitting into the client's socket")
        assert deaf.mailbox.has_replies
        parts.keys.accept([replace(kept, revoked_ns=NOON_NS)])
        await until(lambda: len(parts.hub) == 0, "the end")
        assert deaf.mailbox.closed is CloseCode.REVOKED
        await until(lambda: not server.server.server_state.connections, "the connection being cut off")


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
        await client.hear_kind("error")
        assert await code_of(client.connection) == code


async def test_who_does_not_say_who_he_is_in_time_is_sent_away(parts: Parts) -> None:
    async with running(parts) as server, talking(server) as client:
        assert await code_of(client.connection) == CloseCode.AUTH_REQUIRED


class Clock:
    """Real time, from noon on."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()

    def __call__(self) -> int:
        return NOON_NS + int((time.monotonic() - self._began_s) * 1e9)


async def test_a_socket_is_told_before_its_token_expires_and_another_one_keeps_its_subscriptions(parts: Parts) -> None:
    parts = replace(parts, clock_ns=Clock())
    async with running(parts) as server, talking(server) as client:
        await client.say(action="auth", token=token_of(parts, Scope.STREAM, lifetime_ns=2 * 10**9))
        first = await client.hear_kind("authenticated")
        await client.say(action="subscribe", tickers=["AAPL"])
        await client.hear_kind("subscribed")
        await client.hear_kind("snapshot")
        assert (await client.hear_kind("auth_expiring"))["expires_at"] == first["expires_at"]
        await client.say(action="auth", token=token_of(parts, Scope.STREAM))
        assert (await client.hear_kind("authenticated"))["expires_at"] > first["expires_at"]
        await until(lambda: parts.clock_ns() > NOON_NS + 3 * 10**9, "the first token's end")
        publish(parts, prediction("AAPL", 2))
        assert (await client.hear_kind("prediction"))["seq"] == 2


async def test_who_says_nothing_does_not_take_the_places_of_those_who_do(parts: Parts) -> None:
    text, _ = key_of(parts, Scope.STREAM)
    stays, statuses, openings = list[Stay](), list[int](), list[asyncio.Task[None]]()

    async def stays_open(scope: Any, _receive: Any, _send: Any) -> None:
        stays.append(scope[STAY])
        await asyncio.Event().wait()

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        statuses.extend([message["status"]] if "status" in message else [])

    gate = Gate(stays_open, parts.identity, Refusals(parts.instruments.refused), auth_seconds=600.0, most_strangers=2)

    async def open_one(*headers: tuple[bytes, bytes]) -> bool:
        """Tell whether it was let in."""
        before = len(stays)
        scope = {"type": "websocket", "path": "/ws/bars", "headers": list(headers), "client": ("192.0.2.1", 5_000)}
        opening = asyncio.create_task(gate(scope | {"extensions": {"websocket.http.response": {}}}, receive, send))
        openings.append(opening)  # a task that nobody holds is collected, and its place is free
        await until(lambda: opening.done() or len(stays) > before, "an answer")
        return len(stays) > before

    assert [await open_one() for _ in range(3)] == [True, True, False]
    assert statuses == [HTTPStatus.SERVICE_UNAVAILABLE]
    assert await open_one((b"x-api-key", text.encode()))
    assert stays[0].identify(text) is None
    assert [await open_one() for _ in range(2)] == [True, False]
    for opening in openings:
        opening.cancel()
    await asyncio.gather(*openings, return_exceptions=True)


async def test_a_socket_ends_with_its_token_and_says_before_that_it_will(parts: Parts) -> None:
    parts = replace(parts, clock_ns=Clock())
    async with running(parts) as server:
        headers = bearer(token_of(parts, Scope.STREAM, lifetime_ns=5 * 10**9))  # from now on: starting may take long
        async with talking(server, additional_headers=headers) as client:
            await client.hear_kind("auth_expiring")
            assert await code_of(client.connection) == CloseCode.AUTH_EXPIRED


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"users": {"disabled_ns": NOON_NS}}, CloseCode.REVOKED),
        ({"users": {"scopes": frozenset({Scope.READ})}}, CloseCode.FORBIDDEN),
        ({"ended_sessions": ["session"]}, CloseCode.REVOKED),
    ],
)
async def test_a_users_socket_ends_once_he_may_not_stay(parts: Parts, change: dict[str, Any], code: CloseCode) -> None:
    ours, theirs = token_of(parts, Scope.STREAM), token_of(parts, Scope.STREAM, user="bob", session="another")
    async with running(parts) as server, talking(server) as client, talking(server) as other:
        for talker, token in ((client, ours), (other, theirs)):
            await talker.say(action="auth", token=token)
            await talker.hear_kind("authenticated")
        if "users" in change:
            change = {"users": [replace(User("ada", "ada", EVERYTHING, NOON_NS), **change["users"])]}
        parts.keys.accept(**change)
        assert await code_of(client.connection) == code
        await other.say(action="subscribe", tickers=["AAPL"])
        await other.hear_kind("subscribed")


async def test_a_ticket_opens_server_sent_events_and_nothing_else_and_they_end_with_its_user(parts: Parts) -> None:
    token = token_of(parts, Scope.STREAM)
    async with running(parts) as server, httpx.AsyncClient(base_url=server.url, timeout=DEADLINE_SECONDS) as client:
        answer = (await client.post("/events/ticket", headers=bearer(token))).json()
        assert answer["expires_at"] == "2024-01-01T12:00:30Z"
        ticket = answer["ticket"]
        for path in ("/predict/AAPL", f"/predict/AAPL?ticket={ticket}", "/events/predictions"):
            headers = {} if "?" in path or "events" in path else bearer(ticket)
            assert (await client.get(path, headers=headers)).status_code == 401
        for wrong in (token, f"{ticket}x"):
            assert (await client.get("/events/predictions", params={"ticket": wrong})).status_code == 401
        async with client.stream("GET", "/api/v1/events/predictions", params={"ticket": ticket}) as events:
            assert events.status_code == 200
            lines = events.aiter_lines()
            assert await anext(lines) == "event: subscribed"
            parts.keys.accept(users=[User("ada", "ada", EVERYTHING, NOON_NS, disabled_ns=NOON_NS)])
            async with asyncio.timeout(DEADLINE_SECONDS):
                async for _ in lines:
                    pass
        assert (await client.get("/events/predictions", params={"ticket": ticket})).status_code == 401


async def test_a_ticket_is_good_for_half_a_minute_and_of_a_key_as_of_a_user(parts: Parts) -> None:
    streamer, kept = key_of(parts, Scope.STREAM)
    asked = parts.identity.ticket(kept, NOON_NS)[0]
    assert parts.identity.of_ticket(asked, NOON_NS + TICKET_NS - 1) == kept
    assert parts.identity.of_ticket(asked, NOON_NS + TICKET_NS) is None
    assert parts.identity.of_ticket(streamer, NOON_NS) is None


async def test_a_user_that_another_gateway_has_made_just_now_is_believed_for_a_moment(parts: Parts) -> None:
    said = {"sub": "new", "sid": "session", "scope": "read"}
    token = parts.mint.sign(Audience.ACCESS, NOON_NS, NOON_NS + ACCESS_NS, **said)
    caller = parts.identity.find(token)
    assert caller is not None
    assert caller.trouble(NOON_NS + NEWS_NS - 1) is None
    assert caller.trouble(NOON_NS + NEWS_NS) == "revoked"
