"""The other views, and what holds for all of them."""

from typing import Any

import pytest
from playwright.async_api import Browser, expect

from schemas.close_codes import CloseCode
from tests.browser.dashboard import BARS, close_bar, let_form, parts_with, record, said, shown, tell

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

#: A table takes a bar that forms when it is opened: it is closed and opened until its newest row says this.
REOPENED_SHOWS = """(price) => {
  const details = document.querySelector(".chart ~ details");
  details.open = !details.open;
  return details.open && details.querySelector("tbody tr").textContent.includes(price);
}"""
PLACES = ("#/watch", "#/ticker/AAPL", "#/models", "#/system")


async def test_a_ticker_shows_its_chart_its_forecast_its_past_and_its_reasons(browser: Browser) -> None:
    parts = record(parts_with("AAPL", "MSFT"))
    async with shown(browser, parts, "#/ticker/aapl") as (_, visit):
        page = visit.page
        await expect(page.locator("h1")).to_have_text("AAPL")
        for title in ("Price and forecast", "Forecast", "Said, and what happened", "How right it has been", "Why"):
            await expect(page.get_by_role("region", name=title, exact=True)).to_be_visible()
        await expect(page.locator(".chart canvas").first).to_be_visible()
        prices = page.get_by_role("region", name="Price and forecast")
        await prices.get_by_text("Data table").click()
        await expect(prices.locator("tbody tr")).to_have_count(BARS)
        past = page.get_by_role("region", name="Said, and what happened", exact=True)
        await past.get_by_text("Data table").click()
        await expect(past.locator("tbody tr").nth(1)).to_contain_text("● right")
        await expect(page.get_by_role("region", name="How right")).to_contain_text("The direction was right in")
        await expect(page.get_by_role("region", name="Why", exact=True)).to_contain_text("together")
        await prices.get_by_role("button", name="SMA 20").click()
        tell(parts, said("AAPL", 55.5), 9)
        await expect(page.locator(".big")).to_have_text("55.50")


async def test_bars_and_pictures_can_be_saved(browser: Browser) -> None:
    async with shown(browser, record(parts_with("AAPL")), "#/ticker/AAPL") as (_, visit):
        prices = visit.page.get_by_role("region", name="Price and forecast")
        await expect(prices.get_by_role("button", name="PNG")).to_be_visible()
        for name, start in (("CSV", b"Bar,Open"), ("PNG", b"\x89PNG")):
            async with visit.page.expect_download() as download:
                await prices.get_by_role("button", name=name).click()
            path = await (await download.value).path()
            assert path.read_bytes().startswith(start)


async def test_without_the_charts_package_the_tables_are_there(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.routes.page.charting_script", lambda: b"")
    async with shown(browser, record(parts_with("AAPL")), "#/ticker/AAPL") as (_, visit):
        prices = visit.page.get_by_role("region", name="Price and forecast")
        await expect(prices.locator("tbody tr")).to_have_count(BARS)
        await expect(prices).to_contain_text("lightweight-charts")


async def test_models_show_the_champion_beside_forecasts_without_skill(browser: Browser) -> None:
    async with shown(browser, parts_with("AAPL"), "#/models") as (_, visit):
        await expect(visit.page.get_by_role("region", name="Champion")).to_contain_text("set-1")
        await expect(visit.page.get_by_role("region", name="Metrics", exact=True)).to_contain_text(
            "no change (no skill)"
        )


async def test_the_system_view_shows_every_service_and_stage(browser: Browser) -> None:
    async with shown(browser, parts_with("AAPL"), "#/system") as (_, visit):
        await expect(visit.page.get_by_role("region", name="Services", exact=True)).to_contain_text("predictor")
        await expect(visit.page.get_by_role("region", name="Latency by stage")).to_contain_text("tick to gateway")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1920])
async def test_every_view_fits_and_has_no_serious_finding(browser: Browser, theme: str, width: int) -> None:
    options: dict[str, Any] = {
        "color_scheme": theme,
        "viewport": {"width": width, "height": 800},
        "reduced_motion": "reduce",
    }
    async with shown(browser, record(parts_with("AAPL", "MSFT")), **options) as (server, visit):
        for place in PLACES:
            await visit.page.goto(f"{server.url}/{place}")
            await expect(visit.page.locator("#connection")).to_have_text("live")
            await expect(visit.page.locator("tbody tr").first).to_be_visible()
            assert await visit.serious_findings() == [], place
            assert not await visit.wider_than_the_window(), place
        await visit.page.goto(f"{server.url}/#/watch")
        await expect(visit.page.locator("tbody a").first).to_have_text("AAPL")
        head, first = [await visit.box(of) for of in ("thead", "tbody tr:not(.spacer)")]
        assert first["y"] == pytest.approx(head["y"] + head["height"], abs=2), "rows begin below the head"
        assert (await visit.box("tbody a"))["width"] > 30, "a name can be read"


async def test_the_theme_can_be_switched_and_is_remembered(browser: Browser) -> None:
    async with shown(browser, parts_with("AAPL"), color_scheme="light") as (_, visit):
        page = visit.page
        background = "getComputedStyle(document.body).backgroundColor"
        light = await page.evaluate(background)
        for _ in range(2):
            await page.locator("#theme").click()
        await expect(page.locator("#theme")).to_have_text("Theme: dark")
        assert await page.evaluate(background) != light
        await page.reload()
        await expect(page.locator("#theme")).to_have_text("Theme: dark")


async def test_bars_that_close_and_the_one_that_forms_are_shown_and_resumed_after_a_break(browser: Browser) -> None:
    parts = record(parts_with("AAPL"))
    async with shown(browser, parts, "#/ticker/AAPL") as (_, visit):
        prices = visit.page.get_by_role("region", name="Price and forecast")
        await prices.get_by_text("Data table").click()
        rows = prices.locator("tbody tr")
        await expect(rows).to_have_count(BARS)
        close_bar(parts, "AAPL", BARS, 41.25)
        await expect(rows).to_have_count(BARS + 1)
        await expect(rows.first).to_contain_text("41.25")
        let_form(parts, "AAPL", BARS + 1, 41.75)
        await visit.page.wait_for_function(REOPENED_SHOWS, arg="41.75", polling=200)
        let_form(parts, "AAPL", BARS + 1, 42.25)
        await visit.page.wait_for_function(REOPENED_SHOWS, arg="42.25", polling=200)
        await expect(rows).to_have_count(BARS + 2)
        for subscriber in parts.hub:
            subscriber.mailbox.close(CloseCode.SERVICE_RESTART)
        close_bar(parts, "AAPL", BARS + 1, 42.75)
        close_bar(parts, "AAPL", BARS + 2, 43.5)
        await expect(rows).to_have_count(BARS + 3)
        await expect(rows.first).to_contain_text("43.50")
        await expect(prices.get_by_text("The candles stand still")).to_be_hidden()
        for subscriber in parts.hub:
            if subscriber.everything is None:
                subscriber.mailbox.close(CloseCode.FORBIDDEN)
        await expect(prices.get_by_text("The candles stand still")).to_be_visible()
        await expect(visit.page.locator("#connection")).to_have_text("live")
