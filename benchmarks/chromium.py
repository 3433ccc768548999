"""Which Chromium is driven. Playwright's own cannot be had from a package registry."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

#: Its path, where it is not on the PATH under one of its names.
PATH_VARIABLE = "TICKCAST_TEST_CHROMIUM"
_NAMES = ("chromium", "chromium-browser", "google-chrome")
#: CI runs as root and with little shared memory.
OPTIONS = ("--no-sandbox", "--disable-dev-shm-usage")


def chromium_path() -> str | None:
    """Give the path of a Chromium; None where there is none."""
    return os.environ.get(PATH_VARIABLE) or next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start it, without a window."""
    path = chromium_path()
    if path is None:
        raise SystemExit(f"no Chromium on the PATH: install one, or name it in {PATH_VARIABLE}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*OPTIONS])
        yield browser
        browser.close()
