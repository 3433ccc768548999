"""The models in a real browser: what serves, whether it is to be trained again, and a training to its end."""

import pytest
from playwright.async_api import Browser, expect

from schemas.events import ServiceState
from tests.browser.dashboard import parts_with, report, said, shown, tell

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]

OLD = "stale: retrain_recommended"


async def test_old_models_are_to_be_retrained_and_nothing_is_degraded(browser: Browser) -> None:
    parts = parts_with("AAPL")
    report(parts, "predictor", ServiceState.READY, f"model set set-1 is {OLD}")
    tell(parts, said("AAPL", degraded=OLD), 5)
    async with shown(browser, parts, "#/models") as (_, visit):
        drift = visit.page.get_by_role("region", name="Drift", exact=True)
        await expect(drift).to_contain_text("A retraining is recommended: the models are old.")
        await expect(visit.page.get_by_role("region", name="Champion")).to_contain_text("● serving")
        await expect(visit.page.locator("#banner")).to_be_empty()
        await visit.page.goto(visit.page.url.replace("#/models", "#/watch"))
        await expect(visit.page.locator("tbody .remarks")).to_have_text("old models")
        await expect(visit.page.locator("#banner")).to_be_empty()
