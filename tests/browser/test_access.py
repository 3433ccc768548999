"""Log in, in a real browser."""

import io
from dataclasses import replace

import pytest
from playwright.async_api import Browser, Page, Route, expect

from gateway.access.changes import NOTHING_SEEN, read_changes
from gateway.access.scopes import Scope
from gateway.access.users_command import run_command
from gateway.database.engine import open_engine
from gateway.parts import Parts
from schemas.close_codes import CloseCode
from tests.browser.dashboard import parts_with, shown
from tests.gateway.access.people import key_of

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

REFUSED = ("401",)  # what a person types may be wrong
PASSWORD = "correct horse battery staple"


def make_user(parts: Parts, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Do what `tickcast users add` does, and let the gateway see it."""
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    run_command(parts.settings, ["add", name])
    engine = open_engine(parts.settings)
    changes = read_changes(engine, NOTHING_SEEN)
    engine.dispose()
    parts.keys.accept(changes.keys, changes.users, changes.ended_sessions)


async def log_in(page: Page) -> None:
    """Come in as ada."""
    await page.get_by_label("User name").fill("ada")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in", exact=True).last.click()
    await expect(page.locator("#connection")).to_have_text("live")


async def test_who_is_asked_for_a_key_gives_it_and_it_is_kept_in_memory_alone(browser: Browser) -> None:
    parts = parts_with("AAPL", auth_required=True)
    text, _ = key_of(parts, Scope.READ, Scope.STREAM)
    async with shown(browser, parts, "#/system") as (_, visit):
        page = visit.page
        await expect(page.get_by_role("dialog")).to_be_visible()
        await expect(page.get_by_label("User name")).to_be_focused()
        await expect(page.locator("main")).to_contain_text("log in first")
        await page.evaluate("location.hash = '#/watch'")
        await expect(page.locator(".empty")).to_have_text("Log in to see what is predicted.")
        await expect(page.locator("#connection")).to_have_text("not logged in")
        assert await visit.serious_findings() == []
        await page.get_by_label("API key").fill(text)
        await page.get_by_role("button", name="Use the key").click()
        await expect(page.locator("#connection")).to_have_text("live")
        await expect(page.locator("tbody tr:not(.spacer)")).to_have_count(1)
        kept = await page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
        assert text not in kept
        await page.get_by_role("button", name="Log out").click()
        await expect(page.locator("#connection")).to_have_text("not logged in")


async def test_who_came_by_a_key_that_is_revoked_can_give_another(browser: Browser) -> None:
    parts = parts_with("AAPL", auth_required=True)
    async with shown(browser, parts, allowed=REFUSED) as (_, visit):
        page, status = visit.page, visit.page.locator("#connection")
        for press in (False, True):
            text, key = key_of(parts, Scope.READ, Scope.STREAM)
            if press:
                await page.get_by_role("button", name="Log in", exact=True).click()
            await page.get_by_label("API key").fill(text)
            await page.get_by_role("button", name="Use the key").click()
            await expect(status).to_have_text("live")
            parts.keys.accept([replace(key, revoked_ns=1)])
            await expect(status).to_have_text("not logged in")


async def test_a_user_logs_in_stays_over_a_reload_and_logs_out(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = parts_with("AAPL", auth_required=True)
    make_user(parts, monkeypatch, "ada")
    async with shown(browser, parts, allowed=REFUSED) as (_, visit):
        page, status = visit.page, visit.page.locator("#connection")
        await page.get_by_label("User name").fill("ada")
        await page.get_by_label("Password").fill("not that one, surely")
        await page.get_by_role("button", name="Log in", exact=True).last.click()
        await expect(page.locator("dialog .down")).not_to_be_empty()
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Log in", exact=True).last.click()
        await expect(status).to_have_text("live")
        assert await page.evaluate("document.cookie") == "", "no script reads the refresh token"
        for cookie in await page.context.cookies():
            assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict"), cookie["name"]
        kept = await page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
        assert kept == '[{"tickcast.session":"true"},{}]', "no token lies about"
        await page.reload()
        await expect(status).to_have_text("live")
        await expect(page.get_by_role("dialog")).to_be_hidden()
        other = await page.context.new_page()
        await other.goto(page.url)
        await expect(other.locator("#connection")).to_have_text("live")
        await page.get_by_role("button", name="Log out").click()
        await expect(status).to_have_text("not logged in")
        await expect(other.locator("#connection")).to_have_text("not logged in")
        await expect(other.locator("#account")).to_have_text("Log in")
        await page.reload()
        await expect(page.get_by_role("dialog")).to_be_visible()


async def test_who_is_logged_in_stays_so_while_the_gateway_cannot_look_it_up(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = parts_with("AAPL", auth_required=True)
    make_user(parts, monkeypatch, "ada")
    async with shown(browser, parts, allowed=("503", *REFUSED)) as (_, visit):
        page, status = visit.page, visit.page.locator("#connection")
        await log_in(page)

        async def fail(route: Route) -> None:
            await route.fulfill(status=503, json={"detail": "no database"})

        await page.route("**/auth/refresh", fail)
        async with page.expect_response("**/auth/refresh"), page.expect_websocket():
            for subscriber in parts.hub:
                subscriber.mailbox.close(CloseCode.AUTH_EXPIRED)
        await expect(status).to_have_text("live")  # by the token that it still has
        async with page.expect_response("**/auth/refresh"):
            await page.reload()
        await expect(status).to_have_text("connection lost, trying again…")
        await expect(page.get_by_role("dialog")).to_be_hidden()
        await page.unroute("**/auth/refresh")
        await expect(status).to_have_text("live")
        await expect(page.locator("#account")).to_have_text("Log out")
