"""One Chromium for all tests of the dashboard."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from benchmarks.chromium import OPTIONS
from tests.browser.chromium import require_chromium


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Give a browser; Debian's, for Playwright's own cannot be had from a package registry."""
    path = require_chromium()
    expect.set_options(timeout=20_000)  # of a condition, on a machine that does much else
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=path, args=[*OPTIONS])
        yield opened
        await opened.close()


@pytest.fixture(autouse=True)
def _services_that_report_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a report count for as long as a test may take: nobody repeats it here, and a busy machine takes its time."""
    monkeypatch.setattr("gateway.system.SILENT_AFTER_SECONDS", 600)
