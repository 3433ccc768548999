"""Log in, in a real browser."""

import pytest
from playwright.async_api import Browser, expect

from gateway.access.scopes import Scope
from tests.browser.dashboard import parts_with, shown
from tests.gateway.access.test_gate import key_of

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

REFUSED = ("400", "401", "403")


async def test_who_is_asked_for_a_key_gives_it_and_it_is_kept_in_memory_alone(browser: Browser) -> None:
    parts = parts_with("AAPL", auth_required=True)
    text, _ = key_of(parts, Scope.READ, Scope.STREAM)
    async with shown(browser, parts, allowed=REFUSED) as (_, visit):
        page = visit.page
        await expect(page.get_by_role("dialog")).to_be_visible()
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
