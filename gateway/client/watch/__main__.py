"""`python -m gateway.client.watch`: the watch list of the dashboard, in this terminal."""

import argparse
import asyncio
import logging
import os
import sys
from typing import Any, NoReturn

from rich.console import Console

from gateway.client.watch.rows import KEYS, Wish
from gateway.client.watch.screen import PIPE_WIDTH, watch
from gateway.client.watch.settings import WatchSettings
from schemas.service import run_with_settings
from schemas.settings import ENV_PREFIX, load_settings
from schemas.symbols import normalise_ticker

_KEY_VARIABLE = f"{ENV_PREFIX}API_KEY"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tickcast watch",
        allow_abbrev=False,
        description="Show predictions as they come, in this terminal; q or Ctrl-C ends. Not investment advice.",
        epilog=f"An API key is best given in the variable {_KEY_VARIABLE} or in .env, where nobody else sees it.",
    )
    parser.add_argument("tickers", nargs="*", metavar="TICKER", help="like AAPL MSFT; none: all that there is room for")
    parser.add_argument("--url", help=f"of the gateway; default: {ENV_PREFIX}URL, or that of the system that runs here")
    parser.add_argument(
        "--key", help=f"an API key, instead of {_KEY_VARIABLE}: for a moment others see it in the list of processes"
    )
    parser.add_argument("--once", action="store_true", help="print the table once; so it is where this is no terminal")
    parser.add_argument("--sort", choices=["ticker", *KEYS], help="numbers begin with the largest")
    parser.add_argument("--horizon", type=int, metavar="BARS", help="of the forecast; default: the shortest")
    return parser


def main() -> NoReturn:
    """Read the arguments, and watch."""
    options = _parser().parse_args()
    if options.key is not None:
        _hide_key(options.key)

    def run(settings: WatchSettings) -> None:
        # The screen belongs to the table: what is worth knowing stands in it.
        logging.disable(logging.WARNING)
        tickers = tuple(dict.fromkeys(map(normalise_ticker, options.tickers)))
        wish = Wish(tickers, options.sort, options.horizon)
        asyncio.run(watch(settings, wish, _console(), once=options.once))

    given: dict[str, Any] = {} if options.url is None else {"url": options.url}
    run_with_settings("watch", lambda: load_settings(WatchSettings, **given), run)


def _console() -> Console:
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr] # where arrows cannot be written
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return Console(width=width, highlight=False)


def _hide_key(key: str) -> None:
    """Start again with the key in the environment, which only we can read, and not among the arguments."""
    words = sys.argv[1:]
    kept = [
        word
        for before, word in zip(["", *words], words, strict=False)
        if not word.startswith("--key") and before != "--key"
    ]
    os.environ[_KEY_VARIABLE] = key
    os.execv(sys.executable, [sys.executable, "-m", "gateway.client.watch", *kept])  # noqa: S606 - it is ourselves


if __name__ == "__main__":
    main()
