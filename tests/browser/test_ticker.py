"""The view of a ticker in a real browser: how right it has been, and what is in its chart."""

import pytest
from msgspec import structs
from playwright.async_api import Browser, expect

from schemas.events import Direction, Outcome
from schemas.topics import OUTCOMES
from tests.browser.dashboard import parts_with, recent, record, shown
from tests.gateway.recorder.events import Said

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


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
        await expect(accuracy).to_contain_text("the usual direction in 66.7%: a difference of -8.3 points (between")
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
