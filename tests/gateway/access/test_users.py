"""Users: made, changed and removed by command; they log in, stay by refresh tokens, and log out."""

import io
import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Literal
from unittest.mock import AsyncMock

import httpx
import pytest
from argon2 import PasswordHasher
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.exc import OperationalError

from gateway.access import passwords
from gateway.access.accounts import Accounts
from gateway.access.changes import NOTHING_SEEN, read_changes
from gateway.access.ledger import Ledger
from gateway.access.passwords import Passwords
from gateway.access.tokens import ACCESS_NS
from gateway.access.user_store import UserStore
from gateway.access.users_command import run_command
from gateway.database.engine import open_engine
from gateway.limits.buckets import LocalBuckets
from gateway.limits.reached import reason_of
from gateway.limits.refusals import LINES_PER_PERIOD
from gateway.parts import Parts
from gateway.problems import ProblemError
from schemas.errors import StopAndSayError
from tests.gateway.samples import NOON_NS, make_parts, prediction
from tests.gateway.web import client_of

PASSWORD = "correct horse battery staple"
ADA = {"username": "ada", "password": PASSWORD}


class Clock:
    """Stands at noon until it is moved."""

    now_ns = NOON_NS

    def __call__(self) -> int:
        return self.now_ns


class Town:
    """A gateway that asks who one is, its clock, its database, and the command."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
        self.clock = Clock()
        known = make_parts(prediction("AAPL", 1), auth_required=True, **settings)
        self.parts: Parts = replace(known, clock_ns=self.clock)
        self.engine = open_engine(self.parts.settings)
        self._monkeypatch = monkeypatch

    def command(self, *words: str, password: str = PASSWORD) -> None:
        """Run `tickcast users`, and let the gateway see what it did."""
        self._monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
        run_command(self.parts.settings, list(words))
        changes = read_changes(self.engine, NOTHING_SEEN)
        self.parts.keys.accept(changes.keys, changes.users, changes.ended_sessions)


@pytest.fixture
def town(monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    town = Town(monkeypatch)
    town.command("add", "ada")
    yield town
    town.parts.close()
    town.engine.dispose()


async def logged_in(client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    answer = await client.post("/auth/token", json=ADA | more)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def status(client: httpx.AsyncClient, token: str, path: str = "/predict/AAPL") -> int:
    return (await client.get(path, headers={"Authorization": f"Bearer {token}"})).status_code


async def refreshed(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/auth/refresh", json={"refresh_token": token})


async def test_a_user_logs_in_and_his_token_opens_what_he_may_for_ten_minutes(town: Town) -> None:
    async with client_of(town.parts) as client:
        tokens = await logged_in(client, username=" ADA ")
        assert (tokens["token_type"], tokens["expires_in"], tokens["scopes"]) == ("Bearer", 600, ["read", "stream"])
        assert (tokens["expires_at"], tokens["refresh_expires_at"]) == ("2024-01-01T12:10:00Z", "2024-01-31T12:00:00Z")
        assert await status(client, tokens["access_token"]) == 200
        assert await status(client, tokens["refresh_token"]) == 401
        town.clock.now_ns += ACCESS_NS
        refused = await client.get("/predict/AAPL", headers={"Authorization": f"Bearer {tokens['access_token']}"})
        assert (refused.status_code, refused.json()["type"]) == (401, "urn:tickcast:problem:expired-token")


async def test_whoever_does_not_get_in_learns_nothing_from_the_answer(town: Town) -> None:
    town.command("add", "bob")
    town.command("disable", "bob")
    wrongs = [{"password": f"{PASSWORD}!"}, {"username": "nobody"}, {"username": "bob"}, {"username": "\u0000"}]
    async with client_of(town.parts) as client:
        answers = [await client.post("/auth/token", json=ADA | wrong) for wrong in wrongs]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1


async def test_a_name_that_nobody_has_costs_as_much_as_a_wrong_password(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - as argon2 calls it
            verified.append(str(hash).rpartition("$")[0].rpartition("$")[0])  # the parameters
            return super().verify(hash, password)

    monkeypatch.setattr(passwords, "_hasher", Counting(time_cost=2, memory_cost=19_456, parallelism=1))
    async with client_of(town.parts) as client:
        for name in ("ada", "nobody"):
            await client.post("/auth/token", json={"username": name, "password": "wrong " * 3})
    assert verified == ["$argon2id$v=19$m=19456,t=2,p=1"] * 2


async def test_each_refresh_token_is_good_for_once_and_one_that_comes_again_ends_the_session(town: Town) -> None:
    async with client_of(town.parts) as client:
        other = await logged_in(client)
        first = await logged_in(client)
        second = (await refreshed(client, first["refresh_token"])).json()
        town.clock.now_ns += 1_500_000_000
        third = (await refreshed(client, second["refresh_token"])).json()
        assert third["refresh_expires_at"] == first["refresh_expires_at"]
        assert await status(client, third["access_token"]) == 200
        assert (await refreshed(client, first["refresh_token"])).status_code == 401
        assert (await refreshed(client, third["refresh_token"])).status_code == 401
        assert await status(client, third["access_token"]) == 401
        assert await status(client, other["access_token"]) == 200
        assert (await refreshed(client, other["refresh_token"])).status_code == 200


async def test_only_refresh_tokens_that_we_signed_and_that_have_not_expired_refresh(town: Town) -> None:
    async with client_of(town.parts) as client:
        tokens = await logged_in(client)
        for wrong in (tokens["access_token"], f"{tokens['refresh_token']}x", "", "tc_a_b", "." * 5_000):
            assert (await refreshed(client, wrong)).status_code == 401
        town.clock.now_ns += 30 * 86_400 * 10**9
        assert (await refreshed(client, tokens["refresh_token"])).status_code == 401


async def test_a_log_out_ends_the_session_and_its_access_tokens(town: Town) -> None:
    async with client_of(town.parts) as client:
        tokens = await logged_in(client)
        for _ in range(2):
            answer = await client.post("/auth/revoke", json={"refresh_token": tokens["refresh_token"]})
            assert answer.status_code == 204
        assert await status(client, tokens["access_token"]) == 401
        assert (await refreshed(client, tokens["refresh_token"])).status_code == 401
        assert (await client.post("/auth/revoke", json={"refresh_token": "none of ours"})).status_code == 204


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
async def test_a_browser_keeps_its_refresh_token_where_no_script_and_no_other_path_sees_it(
    town: Town, prefix: str
) -> None:
    async with client_of(town.parts) as client:
        answer = await client.post(f"{prefix}/auth/token", json=ADA | {"cookie": True})
        assert "refresh_token" not in answer.json()
        cookies = answer.headers.get_list("set-cookie")
        assert sorted(cookie.partition("Path=")[2].partition(";")[0] for cookie in cookies) == ["/api/v1/auth", "/auth"]
        assert all("HttpOnly" in cookie and "SameSite=strict" in cookie for cookie in cookies)
        assert not any("Secure" in cookie for cookie in cookies)
        again = await client.post(f"{prefix}/auth/refresh")
        assert (again.status_code, "refresh_token" in again.json()) == (200, False)
        assert await status(client, again.json()["access_token"]) == 200
        foreign = await client.post(f"{prefix}/auth/refresh", headers={"Origin": "https://elsewhere.example"})
        assert foreign.status_code == 403
        assert (await client.post(f"{prefix}/auth/revoke")).status_code == 204
        assert not list(client.cookies.jar)
        assert (await client.post(f"{prefix}/auth/refresh")).status_code == 400


async def test_over_https_the_cookie_goes_over_https_only(town: Town) -> None:
    async with client_of(town.parts, "https://localhost:8000") as client:
        answer = await client.post("/auth/token", json=ADA | {"cookie": True})
    assert all("Secure" in cookie for cookie in answer.headers.get_list("set-cookie"))


def limited_by_clock(town: Town) -> Clock:
    """Have log-ins counted by a clock of their own, and give it."""
    limited, ours = Clock(), town.parts
    make_buckets = partial(LocalBuckets, clock_ns=limited)
    vars(ours)["accounts"] = Accounts(
        ours.settings, Ledger(ours.settings), ours.keys, ours.mint, town.clock, make_buckets
    )
    return limited


async def test_log_ins_are_limited_by_name_and_by_address(town: Town) -> None:
    limited = limited_by_clock(town)
    async with client_of(town.parts) as client:
        wrong = ADA | {"password": "wrong"}
        names = [await client.post("/auth/token", json=wrong) for _ in range(11)]
        assert [answer.status_code for answer in names] == [401] * 10 + [429]
        assert int(names[-1].headers["Retry-After"]) in (30, 31)
        assert (await client.post("/auth/token", json=ADA)).status_code == 429, "the right password, too"
        others = [await client.post("/auth/token", json=wrong | {"username": f"n{i}"}) for i in range(20)]
        assert {answer.status_code for answer in others[:10]} == {401}
        assert others[-1].status_code == 429
        town.clock.now_ns -= 3_600 * 10**9  # somebody has set it: that hinders nobody
        limited.now_ns += 31 * 10**9
        assert (await client.post("/auth/token", json=ADA)).status_code == 200


async def test_one_address_keeps_nobody_out_who_comes_by_another_and_many_together_cannot_guess_for_long(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited, accounts = limited_by_clock(town), town.parts.accounts
    never = AsyncMock(return_value=False)

    async def reason_of_try(address: str) -> str:
        with pytest.raises(ProblemError) as refused:
            await accounts.log_in("ada", "wrong", address)
        return reason_of(refused.value)

    with monkeypatch.context() as quick:
        quick.setattr(Passwords, "fits", never)
        for _ in range(60):  # ten minutes, as fast as one address may
            await reason_of_try("192.0.2.1")
            limited.now_ns += 10 * 10**9
    assert (await accounts.log_in("ada", PASSWORD, "192.0.2.2")).scopes
    with monkeypatch.context() as quick:
        quick.setattr(Passwords, "fits", never)
        reasons = [await reason_of_try(f"198.51.100.{number}") for number in range(101)]
    assert {*reasons[:90]} == {"wrong-log-in"}
    assert reasons[-1] == "limit-log-ins-per-name"


async def test_whoever_is_not_let_in_is_counted_by_why_and_logged_once(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    limited_by_clock(town)
    async with client_of(town.parts) as client:
        for _ in range(11):
            await client.post("/auth/token", json=ADA | {"password": "wrong"})
        for _ in range(2):
            await refreshed(client, "none of ours")
        await client.post("/auth/register", json=ADA)
        await client.post("/auth/token", json={"username": "ada"})  # is no log-in
    counted = {
        sample.labels["reason"]: sample.value
        for family in text_string_to_metric_families(town.parts.instruments.text().decode())
        for sample in family.samples
        if sample.name == "tickcast_refused_total"
    }
    assert counted == {
        "wrong-log-in": 10,
        "limit-log-ins-per-name-and-client": 1,
        "wrong-refresh-token": 2,
        "registration-closed": 1,
    }
    assert "refused 127.0.0.1: /auth/token, limit-log-ins-per-name-and-client" in caplog.text
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 12


async def test_a_flood_of_refreshes_with_a_session_that_has_ended_leaves_the_log_readable(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    async with client_of(town.parts) as client:
        token = (await logged_in(client))["refresh_token"]
        await client.post("/auth/revoke", json={"refresh_token": token})
        accounts = town.parts.accounts
        for _ in range(LINES_PER_PERIOD + 5):
            with pytest.raises(ProblemError, match="not good"):
                await accounts.refresh(token, "192.0.2.1")
    lines = [line for line in caplog.messages if line.startswith("refused a refresh from 192.0.2.1")]
    assert len(lines) == LINES_PER_PERIOD


async def test_what_the_command_does_holds_for_tokens_that_are_out(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    async with client_of(town.parts) as client:
        tokens = await logged_in(client)
        town.command("scopes", "ada", "--scopes", "stream")
        assert await status(client, tokens["access_token"]) == 403
        town.command("scopes", "ada", "--admin")
        assert await status(client, tokens["access_token"]) == 200
        more = (await refreshed(client, tokens["refresh_token"])).json()
        assert more["scopes"] == ["admin", "read", "stream"]
        town.command("disable", "ada")
        assert await status(client, more["access_token"]) == 401
        assert (await refreshed(client, more["refresh_token"])).status_code == 401
        town.command("enable", "ada")
        tokens = await logged_in(client)
        town.command("password", "ada", password="another horse, another staple")
        assert await status(client, tokens["access_token"]) == 401
        assert (await client.post("/auth/token", json=ADA)).status_code == 401
        tokens = await logged_in(client, password="another horse, another staple")
        town.command("list")
        assert "accepted  admin,read,stream  ada" in capsys.readouterr().out
        town.command("remove", "ada")
        assert await status(client, tokens["access_token"]) == 401
        town.command("list")
        assert capsys.readouterr().out == ""
        town.command("add", "ada")
        assert await status(client, tokens["access_token"]) == 401, "the name is another one's now"
        assert await status(client, (await logged_in(client))["access_token"]) == 200


@pytest.mark.parametrize(
    ("words", "password", "fix"),
    [
        (("add", "ada"), PASSWORD, "choose another name"),
        (("add", "a b c"), PASSWORD, "3 to 64"),
        (("add", "grace"), "short", "12 to 256"),
        (("add", "grace.of.twelve"), "Grace.Of.Twelve", "choose another one"),
        (("add", "grace", "--scopes", "write"), PASSWORD, "read,stream,admin"),
        (("disable", "nobody"), PASSWORD, "users list"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line_without_the_password(
    town: Town, words: tuple[str, ...], password: str, fix: str
) -> None:
    with pytest.raises(StopAndSayError, match=fix) as refused:
        town.command(*words, password=password)
    assert password not in str(refused.value)


async def test_nobody_registers_unless_it_is_open_and_then_he_may_read_and_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed, opened = Town(monkeypatch), Town(monkeypatch, registration_open=True)
    async with client_of(closed.parts) as client:
        assert (await client.post("/auth/register", json=ADA)).status_code == 403
    async with client_of(opened.parts) as client:
        answer = await client.post("/auth/register", json=ADA)
        assert (answer.status_code, answer.json()["scopes"]) == (201, ["read", "stream"])
        assert (await client.post("/auth/register", json=ADA | {"username": "Ada"})).status_code == 409
        short = await client.post("/auth/register", json={"username": "bob", "password": "short"})
        assert (short.status_code, short.json()["field"]) == (400, "password")
        assert await status(client, (await logged_in(client))["access_token"]) == 200
    for town in (closed, opened):
        town.parts.close()


async def test_where_nobody_is_asked_there_is_nothing_to_log_in_to() -> None:
    async with client_of(make_parts()) as client:
        for path in ("/auth/token", "/auth/refresh", "/auth/revoke", "/auth/register", "/events/ticket"):
            answer = await client.post(path, json={})
            assert (answer.status_code, answer.json()["type"]) == (404, "urn:tickcast:problem:auth-off")


async def test_without_the_database_nobody_logs_in_and_tokens_go_on(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client_of(town.parts) as client:
        tokens = await logged_in(client)

        def away(_store: UserStore, _name: str) -> None:
            raise OperationalError("select", {}, Exception("away"))

        monkeypatch.setattr(UserStore, "find", away)
        answer = await client.post("/auth/token", json=ADA)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert await status(client, tokens["access_token"]) == 200


async def test_what_happens_is_logged_and_no_secret_with_it(
    town: Town, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    async with client_of(town.parts) as client:
        first = await logged_in(client)
        await client.post("/auth/token", json=ADA | {"password": "a password that is wrong"})
        await client.post("/auth/token", json={"username": "my secret by mistake", "password": PASSWORD})
        second = (await refreshed(client, first["refresh_token"])).json()
        await refreshed(client, first["refresh_token"])
        third = await logged_in(client)
        ticket = await client.post("/events/ticket", headers={"Authorization": f"Bearer {third['access_token']}"})
        await status(client, "a wrong token")
        town.command("scopes", "ada", "--scopes", "read")
        await status(client, third["access_token"], "/events/predictions")
        await client.post("/auth/revoke", json={"refresh_token": third["refresh_token"]})
        town.command("disable", "ada")
    [(user, kept)] = [found for found in [UserStore(town.engine).find("ada")] if found]
    words = [
        *("has logged in from 127.0.0.1", f"failed log in from 127.0.0.1: user {user.id}", "no such user"),
        *(
            f"refresh token of user {user.id} was used again",
            "unknown token",
            f"user {user.id} (ada): scopes are now",
        ),
        *(
            f"user {user.id} has changed: scopes read",
            "lacks stream",
            "has logged out",
            f"user {user.id} (ada): disabled",
        ),
    ]
    assert [word for word in words if word not in caplog.text] == []
    tokens = [token for body in (first, second, third) for name, token in body.items() if name.endswith("_token")]
    secrets = [
        PASSWORD,
        "a password that is wrong",
        "my secret",
        kept,
        ticket.json()["ticket"],
        "a wrong token",
        *tokens,
    ]
    secrets += [token.rpartition(".")[2] for token in tokens]
    secrets.append(town.parts.settings.token_key.get_secret_value())
    assert [secret for secret in secrets if secret in caplog.text] == []
    assert town.parts.settings.token_key.get_secret_value() not in repr(town.parts.settings)
