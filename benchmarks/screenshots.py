"""`make screenshots`: pictures of the dashboard of the system that runs here, for the documents."""

import argparse
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.chromium import chromium
from deploy.running_env import read_running_env

_FOLDER = Path("docs/pictures")
_LARGEST_BYTES = 400_000
_SETTLE_MS = 3_000
_VIEWS = {"watch-list": "watch", "ticker": "ticker/AAPL", "models": "models"}


def take(browser: Browser, url: str, name: str, place: str) -> Path:
    """Take the picture of a view."""
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light", reduced_motion="reduce")
    page.goto(f"{url}/#/{place}")
    page.locator("#connection[data-state=live]").wait_for()
    page.wait_for_timeout(_SETTLE_MS)
    path = _FOLDER / f"{name}.png"
    page.screenshot(path=path)
    page.close()
    if path.stat().st_size > _LARGEST_BYTES:
        raise SystemExit(f"{path} is larger than {_LARGEST_BYTES} bytes")
    return path


def main() -> None:
    """Take all of them."""
    parser = argparse.ArgumentParser(prog="make screenshots", description=__doc__)
    parser.add_argument("--url", help="default: that of the system that runs here")
    url = parser.parse_args().url or read_running_env(Path("var")).get("TICKCAST_URL")
    if url is None:
        raise SystemExit("nothing runs here: make run, or --url")
    _FOLDER.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for name, place in _VIEWS.items():
            print(take(browser, url.rstrip("/"), name, place))


if __name__ == "__main__":
    main()
