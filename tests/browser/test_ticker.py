"""The view of a ticker in a real browser: how right it has been, and what is in its chart."""

import asyncio
import re

import pytest
from msgspec import structs
from playwright.async_api import Browser, Route, expect

from schemas.events import Direction, Features, Outcome
from schemas.topics import FEATURES, OUTCOMES
from tests.browser.dashboard import BARS, parts_with, recent, record, shown
from tests.gateway.recorder.events import Said

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

READ_OVER_REST = re.compile(r"/api/v1/(bars|history|accuracy|features|predict|models/compare)\b")


def said_up_or_down(said: Said) -> Said:
    """Let prices rise on two of three days; ours says up on three of four."""

    def turned(number: int, outcome: Outcome) -> Outcome:
        rises, up = number % 3 > 0, number % 4 > 0
        direction = Direction.BULLISH if up else Direction.BEARISH
        moved = 0.01 if rises else -0.01
        return structs.replace(
            outcome,
            actual_log_return=moved,
            direction=direction,
            hit=rises is up,
            usual_direction=Direction.BULLISH,
        )

    return [(topic, turned(event.bar_index, event) if topic is OUTCOMES else event) for topic, event in said]


async def test_accuracy_over_time_stands_beside_its_baseline_with_how_sure_it_is(browser: Browser) -> None:
    parts = record(parts_with("AAPL"), said_up_or_down(recent(241)))
    async with shown(browser, parts, "#/ticker/AAPL") as (_, visit):
        accuracy = visit.page.get_by_role("region", name="How right it has been")
        await expect(accuracy).to_contain_text("On all 240 dates so far, the direction over the next bar was right")
        await expect(accuracy).to_contain_text("in 58.3%")
        await expect(accuracy).to_contain_text(
            "the usual direction in 66.7%: a difference of \N{MINUS SIGN}8.3 points (between"
        )
        await expect(accuracy).to_contain_text("worse than the usual direction by more than chance explains")
        await expect(accuracy.locator("canvas").first).to_be_visible()
        await accuracy.get_by_text("Data table").click()
        cells = accuracy.locator("tbody tr")
        await expect(cells).to_have_count(240)
        await expect(cells.first).to_contain_text("58.3%")
        await expect(cells.last.locator("td").nth(3)).to_have_text("\N{EN DASH}")
        await accuracy.get_by_label("Horizon").select_option("5")
        await expect(accuracy).to_contain_text("no prediction has matured")
        await expect(cells).to_have_count(0)


def filling(said: Said) -> Said:
    """Let the windows of the first bar be too short for anything."""

    def first(event: Features) -> Features:
        return structs.replace(event, indicators=dict.fromkeys(event.indicators)) if event.bar_index == 0 else event

    return [(topic, first(event) if topic is FEATURES else event) for topic, event in said]


async def test_what_is_no_price_stands_below_the_candles_and_moves_with_them(browser: Browser) -> None:
    parts = record(parts_with("AAPL"), filling(recent()))
    async with shown(browser, parts, "#/ticker/AAPL") as (_, visit):
        page, below = visit.page, visit.page.get_by_role("group", name="MACD")
        prices = page.get_by_role("region", name="Price and forecast")
        for name in ("RSI 14", "MACD", "Bollinger 20"):
            switch = prices.get_by_role("button", name=name, exact=True)
            await expect(switch).to_have_attribute("aria-pressed", "false")
            await switch.focus()
            await page.keyboard.press("Enter")
            await expect(switch).to_have_attribute("aria-pressed", "true")
        await expect(below.locator("canvas").first).to_be_visible()
        still = await below.locator(".chart").screenshot()
        await page.locator(".chart").first.hover()
        candles = await visit.box(".chart")
        x, y = candles["x"] + candles["width"] / 2, candles["y"] + candles["height"] / 2
        await page.mouse.down()
        await page.mouse.move(x - 200, y, steps=5)
        await page.mouse.up()
        await page.mouse.move(1, 1)
        async with asyncio.timeout(20):  # it goes along
            while await below.locator(".chart").screenshot() == still:
                await asyncio.sleep(0.1)
        await below.get_by_text("Data table").click()
        await expect(below.locator("thead th")).to_have_text(["Bar", "MACD", "MACD signal", "MACD difference"])
        await expect(below.locator("tbody tr")).to_have_count(BARS)
        await expect(below.locator("tbody tr").first).to_contain_text("0.9046")
        table = prices.locator("details").last
        await table.get_by_text("Data table").click()
        await expect(table.locator("thead")).to_contain_text("Bollinger top")
        await expect(table.locator("tbody tr").first.locator("td").nth(5)).to_have_text("41.32")
        await expect(table.locator("tbody tr").last.locator("td").nth(5)).to_have_text("\N{EN DASH}")
        assert await visit.serious_findings() == []
        await page.reload()
        await expect(page.get_by_role("group", name="RSI 14").locator("canvas").first).to_be_visible()
        await prices.get_by_role("button", name="MACD", exact=True).click()
        await expect(below).to_have_count(0)
        async with page.expect_download() as download:
            await page.get_by_role("group", name="RSI 14").get_by_role("button", name="CSV").click()
        assert (await (await download.value).path()).read_text().splitlines()[0] == "Bar,RSI"


async def test_right_and_wrong_are_marked_at_the_candles_and_said_in_their_table(browser: Browser) -> None:
    parts = record(parts_with("AAPL"), said_up_or_down(recent()))
    async with shown(browser, parts, "#/ticker/AAPL") as (_, visit):
        prices = visit.page.get_by_role("region", name="Price and forecast")
        await prices.get_by_text("Data table").click()
        results = prices.locator("tbody tr td:last-child")
        await expect(results.filter(has_text="● right")).to_have_count(34)
        await expect(results.filter(has_text="■ wrong")).to_have_count(25)
        await prices.get_by_role("button", name="Right and wrong").click()
        await expect(prices.locator("thead")).not_to_contain_text("Predicted")


async def test_what_failed_in_passing_is_read_again_without_a_new_bar(browser: Browser) -> None:
    parts = record(parts_with("AAPL"))
    async with shown(browser, parts, "#/models", allowed=("503", "ERR_FAILED")) as (_, visit):
        page, prices = visit.page, visit.page.get_by_role("region", name="Price and forecast")

        async def fail(route: Route) -> None:
            no_answer = "/bars/" in route.request.url
            await (route.abort() if no_answer else route.fulfill(status=503, json={"detail": "no database"}))

        await page.route(READ_OVER_REST, fail)
        await page.evaluate("location.hash = '#/ticker/AAPL'")
        await prices.get_by_role("button", name="SMA 20").click()
        await prices.get_by_text("Data table").click()
        past = page.get_by_role("region", name="Said, and what happened")
        accuracy = page.get_by_role("region", name="How right it has been")
        reasons = page.get_by_role("region", name="Why", exact=True)
        for failed in (past, accuracy, reasons):
            await expect(failed).to_contain_text(re.compile("No history now|Not known now"))
        await expect(prices.locator("tbody tr")).to_have_count(0)
        await page.unroute(READ_OVER_REST)
        await expect(prices.locator("tbody tr")).to_have_count(BARS)
        await expect(prices.locator("tbody tr").first.locator("td").nth(5)).not_to_have_text("\N{EN DASH}")
        await expect(past).to_contain_text("The direction was right in")
        await expect(accuracy).to_contain_text("dates so far")
        await expect(accuracy).not_to_contain_text("Not known now")
        await expect(reasons).to_contain_text("together")


async def test_where_older_predictions_are_left_out_that_is_said_and_csv_has_more(browser: Browser) -> None:
    parts = record(parts_with("AAPL"))
    async with shown(browser, parts, "#/models") as (_, visit):
        page, past = visit.page, visit.page.get_by_role("region", name="Said, and what happened")

        async def leave_out(route: Route) -> None:
            answer = await route.fetch()
            await route.fulfill(response=answer, json={**await answer.json(), "complete": False})

        await page.route("**/history/AAPL?*limit=500*", leave_out)
        await page.evaluate("location.hash = '#/ticker/AAPL'")
        await expect(past).to_contain_text(f"The newest {BARS} are shown, older ones left out")
        async with page.expect_download(), page.expect_request("**/history/AAPL?*limit=10000*"):
            await past.get_by_role("button", name="CSV").click()
