"""How the page is used: by keyboard, by screen reader, on a phone, without motion; and what it says of nothing."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.dashboard import parts_with, record, said, shown, so_far, tell

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

ROW = "tbody tr:not(.spacer)"
LIVE_REGIONS = """() => [...document.querySelectorAll(
  "[aria-live], [role=status], [role=alert], [role=log], [role=timer], output")].map((one) => one.id)"""
CUT_OFF = """() => [...document.querySelectorAll(".watch th, .watch td, .watch thead button")]
  .filter((cell) => cell.offsetWidth > 0 && cell.scrollWidth > cell.clientWidth)
  .map((cell) => cell.textContent)"""
HEADS = ("Ticker", "Price", "Change", "Direction", "Target", "Confidence")
IN_ORDER = ("Search tickers", "Forecast over", "★ Starred", "Watch list", *HEADS, "Star AAPL", "AAPL")
HAS_FOCUS_RING = "getComputedStyle(document.activeElement).outlineStyle !== 'none'"


async def focused(page: Page) -> str:
    """Give the name of what has the focus."""
    name: str = await page.evaluate("""() => {
      const { labels, ariaLabel, innerText } = document.activeElement;
      return labels?.[0]?.innerText ?? ariaLabel ?? innerText;
    }""")
    return name


async def test_in_four_figures_it_says_what_the_market_does_what_comes_how_surely_and_how_often_right(
    browser: Browser,
) -> None:
    parts = parts_with("AAPL", "IBM", "MSFT")
    for seq, (ticker, price) in enumerate({"AAPL": 110.0, "IBM": 101.0, "MSFT": 95.0}.items(), 5):
        tell(parts, said(ticker, price, bar=so_far(100.0)), seq)
    async with shown(browser, parts) as (_, visit):
        tiles = visit.page.get_by_role("region", name="In short").locator(".tiles > div")
        await expect(tiles).to_contain_text(
            [
                "2 of 3 upsince the bar opened; median +1.00%",
                "Forecast, next bar▲ 3 bullish0 bearish, 0 neutral",
                "How sure51%",
                "How often right60.0%of 205 directions; always naming the usual one: 46.8%",
            ]
        )


async def test_an_empty_list_says_why(browser: Browser) -> None:
    parts = parts_with()
    async with shown(browser, parts) as (_, visit):
        page, empty = visit.page, visit.page.locator(".empty")
        await expect(empty).to_contain_text("No predictions yet")
        tell(parts, said("AAPL"), 1)
        await expect(empty).to_be_hidden()
        await page.get_by_role("button", name="★ Starred").click()
        await expect(empty).to_contain_text("Nothing is starred yet")
        await page.get_by_role("button", name="★ Starred").click()
        await page.get_by_label("Search tickers").fill("zz<b>")
        await expect(empty).to_have_text("No ticker has “zz<b>” in its name.")


async def test_an_unknown_ticker_and_an_unknown_address_say_so_and_ask_for_nothing(browser: Browser) -> None:
    parts = parts_with("AAPL")
    async with shown(browser, parts, "#/ticker/NOPE") as (_, visit):
        main = visit.page.locator("main")
        await expect(main).to_contain_text("Nothing is predicted of NOPE")
        await expect(main.locator(".chart")).to_have_count(0)
        tell(parts, said("NOPE"), 2)
        await expect(main).not_to_contain_text("Nothing is predicted")
        for place in ("#/nowhere/else", "#/ticker/", "#/%E0%A4%A"):
            await visit.page.evaluate(f"location.hash = '{place}'")
            await expect(main.locator("h1")).to_have_text("Nothing here")
        assert await visit.serious_findings() == []


async def test_by_keyboard_alone(browser: Browser) -> None:
    async with shown(browser, parts_with("AAPL", "IBM")) as (_, visit):
        page = visit.page
        await expect(page.locator(ROW)).to_have_count(2)
        await page.keyboard.press("Tab")
        assert await focused(page) == "Skip to content"
        assert (await visit.box(".skip"))["x"] >= 0, "it is seen when it has the focus"
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "main"
        for name in IN_ORDER:
            await page.keyboard.press("Tab")
            assert await focused(page) == name
            assert await page.evaluate(HAS_FOCUS_RING), name
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_have_text("AAPL")


async def test_a_row_stays_where_it_is_while_the_keyboard_is_in_it_and_focus_is_not_lost_with_it(
    browser: Browser,
) -> None:
    parts = parts_with("AAPL", "IBM")
    async with shown(browser, parts) as (_, visit):
        page, names = visit.page, visit.page.locator(f"{ROW} .ticker")
        await page.get_by_role("button", name="Price").click()
        await expect(names).to_have_text(["IBM", "AAPL"])
        star = page.get_by_role("button", name="Star IBM")
        await star.focus()
        await page.keyboard.press("Enter")  # the keyboard is in use from here on
        tell(parts, said("AAPL", 500.0), 9)
        await expect(page.locator(f"{ROW} .price").last).to_have_text("500.00")
        await page.wait_for_timeout(2_500)  # longer than it takes to sort anew
        await expect(names).to_have_text(["IBM", "AAPL"])
        await page.get_by_role("button", name="★ Starred").focus()
        await expect(names).to_have_text(["AAPL", "IBM"])
        await page.keyboard.press("Enter")
        await expect(names).to_have_text(["IBM"])
        await star.focus()
        await page.keyboard.press("Enter")
        await expect(names).to_have_count(0)
        assert await focused(page) == "Watch list", "what was focused is gone, and its list has the focus"


async def test_on_a_phone_no_number_is_cut_off(browser: Browser) -> None:
    parts = parts_with("BRK.B", "GOOGL")
    tell(parts, said("GOOGL", 1234.56, bar=so_far(1100.0)), 5)
    tell(parts, said("BRK.B", 988.8, bar=so_far(1100.0)), 6)
    async with shown(browser, parts, viewport={"width": 360, "height": 740}) as (_, visit):
        await expect(visit.page.locator(f"{ROW} .price").last).to_have_text("1,234.56")
        assert await visit.page.evaluate(CUT_OFF) == []


@pytest.mark.parametrize(("motion", "moves"), [("reduce", False), ("no-preference", True)])
async def test_a_price_flashes_where_motion_is_welcome(browser: Browser, motion: str, moves: bool) -> None:
    parts = parts_with("AAPL")
    async with shown(browser, parts, reduced_motion=motion) as (_, visit):
        page = visit.page
        await expect(page.locator(ROW)).to_have_count(1)
        await page.evaluate("() => { Element.prototype.animate = () => { window.moved = true; }; }")
        tell(parts, said("AAPL", 99.5), 7)
        await expect(page.locator(f"{ROW} .price")).to_have_text("99.50")
        assert await page.evaluate("window.moved === true") is moves


async def test_only_the_connection_and_what_is_degraded_are_read_aloud(browser: Browser) -> None:
    async with shown(browser, record(parts_with("AAPL"))) as (_, visit):
        for place in ("watch", "ticker/AAPL", "models", "system"):
            await visit.page.evaluate(f"location.hash = '#/{place}'")
            await expect(visit.page.locator("tbody tr").first).to_be_visible()
            assert await visit.page.evaluate(LIVE_REGIONS) == ["connection", "banner"], place
            unnamed = visit.page.locator(".chart:not([role=img][aria-label])")
            await expect(unnamed).to_have_count(0)
