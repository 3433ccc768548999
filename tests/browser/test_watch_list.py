"""The watch list in a real browser."""

import pytest
from playwright.async_api import Browser, Route, expect

from schemas.close_codes import CloseCode
from schemas.events import ServiceState
from tests.browser.dashboard import BARS, SERVER_AWAY, parts_with, record, report, said, shown, tell, visiting
from tests.gateway.web import running

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

ROW = "tbody tr:not(.spacer)"


async def test_the_first_paint_shows_every_ticker_and_says_that_it_is_live(browser: Browser) -> None:
    async with shown(browser, parts_with("AAPL", "MSFT")) as (_, visit):
        await expect(visit.page.locator(ROW)).to_have_count(2)
        await expect(visit.page.locator("#connection")).to_have_text("live")
        await expect(visit.page.locator("#banner")).to_be_empty()
        assert await visit.page.title() == "Watch list: Tickcast"
        assert "Not investment advice" in await visit.text("footer")
        first = await visit.text(f"{ROW} >> nth=0")
        assert "AAPL" in first
        assert "bullish" in first, "a direction has its word, not its colour alone"


async def test_an_update_is_painted_as_it_comes(browser: Browser) -> None:
    parts = parts_with("AAPL")
    async with shown(browser, parts) as (_, visit):
        cell = visit.page.locator(f"{ROW} .price")
        await expect(cell).to_have_text("100.00")
        tell(parts, said("AAPL", 123.456, degraded="lstm: missing <b>"), 7)
        await expect(cell).to_have_text("123.46")
        await expect(visit.page.locator(f"{ROW} .remarks")).to_have_text("degraded: lstm: missing <b>")
        tell(parts, said("NEW"), 8)
        await expect(visit.page.locator(ROW)).to_have_count(2)


async def test_the_page_comes_back_after_a_restart_and_says_how_old_it_is_meanwhile(browser: Browser) -> None:
    parts = parts_with("AAPL", "MSFT")
    async with running(parts) as first:
        port = int(first.url.rsplit(":", 1)[1])
        async with visiting(browser, first.url, allowed=SERVER_AWAY) as visit:
            status, age = visit.page.locator("#connection"), visit.page.locator("#age")
            await expect(status).to_have_text("live")
            await visit.page.wait_for_load_state("networkidle")  # what is cut off in the middle is a 500
            first.server.stop()
            await first.task
            await expect(status).to_contain_text("lost")
            await expect(age).to_contain_text("old")
            await expect(visit.page.locator("#banner")).to_contain_text("does not answer")
            await expect(visit.page.locator(ROW)).to_have_count(2)
            async with running(parts_with("AAPL", "IBM", "MSFT", gateway_port=port)):
                await expect(status).to_have_text("live")
                await expect(visit.page.locator(ROW)).to_have_count(3)
                await expect(visit.page.locator("#banner")).to_be_empty()


async def test_what_is_degraded_stands_at_the_top_of_every_view(browser: Browser) -> None:
    parts = parts_with("AAPL")
    report(parts, "predictor", ServiceState.DEGRADED, "no broker for 3 s")
    tell(parts, said("AAPL", degraded="warming up"), 5)
    async with shown(browser, parts) as (_, visit):
        for place in ("watch", "ticker/AAPL", "models", "system"):
            await visit.page.evaluate(f"location.hash = '#/{place}'")
            banner = visit.page.locator("#banner")
            await expect(banner).to_contain_text("predictor is degraded")
            await expect(banner).to_contain_text("1 of 1 predictions are degraded: warming up")


async def test_search_sort_and_stars(browser: Browser) -> None:
    async with shown(browser, parts_with("AAPL", "IBM", "MSFT")) as (_, visit):
        page = visit.page
        names = page.locator(f"{ROW} .ticker")
        await expect(names).to_have_text(["AAPL", "IBM", "MSFT"])
        await page.get_by_role("button", name="Price").click()
        await expect(names).to_have_text(["MSFT", "IBM", "AAPL"])
        assert await page.locator("th.price").get_attribute("aria-sort") == "descending"
        await page.get_by_role("button", name="Star IBM").click()
        await page.get_by_role("button", name="★ Starred").click()
        await expect(names).to_have_text(["IBM"])
        await page.reload()
        await expect(names).to_have_text(["MSFT", "IBM", "AAPL"])  # the order is remembered, and the stars below
        await page.get_by_label("Search tickers").fill("ms")
        await expect(names).to_have_text(["MSFT"])
        await page.get_by_label("Search tickers").fill("")
        await page.get_by_role("button", name="★ Starred").click()
        await expect(names).to_have_text(["IBM"])


async def test_of_500_tickers_only_those_in_sight_have_rows_and_the_last_can_be_reached(browser: Browser) -> None:
    tickers = [f"T{number:03}" for number in range(500)]
    parts = parts_with(*tickers)
    async with shown(browser, parts) as (_, visit):
        page = visit.page
        await expect(page.locator(".head p")).to_have_text("500 tickers")
        assert await page.locator(ROW).count() < 50
        assert await page.locator("table").get_attribute("aria-rowcount") == "501"
        await page.locator(".watch").evaluate("(box) => { box.scrollTop = box.scrollHeight; }")
        last = page.locator(f"{ROW} >> nth=-1")
        await expect(last).to_contain_text("T499")
        assert await last.get_attribute("aria-rowindex") == "501"
        tell(parts, said("T499", 7.5), 1000)
        await expect(last.locator(".price")).to_have_text("7.50")
        await page.locator(f"{ROW} a").last.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_have_text("T499")


async def test_last_closes_that_could_not_be_had_or_were_missed_are_fetched_again(browser: Browser) -> None:
    parts = record(parts_with("MSFT"))
    async with shown(browser, parts, "#/models", allowed=("ERR_FAILED",)) as (_, visit):
        page, bars = visit.page, "**/api/v1/bars/AAPL?*"

        async def fail(route: Route) -> None:
            await route.abort()

        await page.route(bars, fail)
        async with page.expect_event("requestfailed"):
            tell(parts, said("AAPL"), 9)
            await page.evaluate("location.hash = '#/watch'")
        await page.unroute(bars)
        await page.wait_for_event("response", lambda answer: "/bars/AAPL?" in answer.url)
        async with page.expect_response(bars):
            for subscriber in parts.hub:
                subscriber.mailbox.close(CloseCode.SERVICE_RESTART)
            tell(parts, said("AAPL", bar_index=BARS + 3), 10)  # nobody hears of it but by the next snapshot
