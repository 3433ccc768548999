"""`python -m ingestor.history`: the past of a live market into a file that can be played."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry

from ingestor.history.asked import pieces_of
from ingestor.history.fetch import fetch_pieces
from ingestor.history.report import first_played_day, lines
from ingestor.history.shelf import Shelf
from ingestor.settings import IngestorSettings
from ingestor.sources.live.figures import LiveFigures
from ingestor.sources.live.opening import open_provider
from ingestor.sources.live.sessions import load_sessions
from ingestor.sources.live.settings import LiveSettings
from schemas.errors import StopAndSayError
from schemas.service import run_with_settings
from schemas.settings import load_settings
from schemas.source_settings import LIVE_SOURCES
from schemas.times import INTERVALS, NS_PER_SECOND, bar_start_ns, interval_ns, to_rfc3339

_FOLDER = Path("var/history")
_DAY_NS = interval_ns("1d")


def main(arguments: Sequence[str] | None = None, clock_ns: Callable[[], int] = time.time_ns) -> None:
    """Read the command line and fetch."""
    given = _parser().parse_args(arguments)
    run_with_settings(
        "history", lambda: _settings(given), lambda asked: _run(asked, given.days, clock_ns, refresh=given.refresh)
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tickcast history",
        description="Fetch the past of a live market into a Parquet file under var/history that can be played.",
        epilog="What is there is kept for 24 hours; called again after an interruption, it goes on where it was. "
        "Keys and plans: docs/sources.md.",
    )
    add = parser.add_argument
    add("tickers", nargs="+", metavar="TICKER", help="like AAPL MSFT")
    add("--source", required=True, metavar="|".join(LIVE_SOURCES), help="who is asked")
    add("--interval", choices=INTERVALS, default="1d", help="length of a bar (1d)")
    add("--days", type=int, default=365, help="so far back (365)")
    add("--from", dest="start", default="", metavar="DATE", help="instead of --days: the first day, or a time")
    add("--to", dest="end", default="", metavar="DATE", help="the last day, or a time before which all is; else now")
    add("--refresh", action="store_true", help="fetch what is kept anew, too")
    return parser


def _settings(given: argparse.Namespace) -> IngestorSettings:
    """Read what is asked for as the ingestor does."""
    if given.source not in LIVE_SOURCES:
        raise StopAndSayError(f"--source {given.source!r}: give one of {', '.join(LIVE_SOURCES)}")
    names = ("source", "interval", "tickers", "start", "end")
    return load_settings(IngestorSettings, **{name: getattr(given, name) for name in names})


def _run(asked: IngestorSettings, days: int, clock_ns: Callable[[], int], *, refresh: bool) -> None:
    live, now_ns = load_settings(LiveSettings), clock_ns()
    provider = open_provider(asked.source, LiveFigures(asked.source, CollectorRegistry()), live)
    settled_ns = int((provider.traits.settled_seconds + provider.traits.delay_seconds) * NS_PER_SECOND)
    start_ns, end_ns, to_now = _span(asked, days, bar_start_ns(now_ns - settled_ns, interval_ns(asked.interval)))
    past_days = (now_ns - start_ns) // _DAY_NS + 2
    sessions = load_sessions(live.source_exchange or provider.traits.exchange, now_ns, past_days)
    shelf = Shelf(_FOLDER, asked.source, asked.interval, provider.traits.content)
    pieces = pieces_of(asked.tickers, start_ns, end_ns, asked.interval, to_now=to_now)
    missing = [piece for piece in pieces if refresh or not shelf.has(piece, now_ns)]
    if missing:
        fetch_pieces(provider, shelf, missing, asked.interval, clock_ns)
    bars = shelf.bars(pieces)
    _say(*lines(bars, pieces, shelf, sessions, asked.interval))
    unknown = set(asked.tickers) - set(bars["ticker"].to_pylist())
    if bars.num_rows:
        shelf.put_whole(bars)
        _say(f"play it: tickcast run --fresh --source file:{shelf.whole} --start {first_played_day(bars)}")
    if unknown:
        names = ", ".join(sorted(unknown))
        raise StopAndSayError(f"{asked.source} has no bars of {names} in that time: is the symbol right?")


def _span(asked: IngestorSettings, days: int, closed_ns: int) -> tuple[int, int, bool]:
    """Give the span that is asked for, and whether it ends where the past does."""
    to_now = asked.end_ns is None or asked.end_ns >= closed_ns
    end_ns = closed_ns if asked.end_ns is None else min(asked.end_ns, closed_ns)
    start_ns = bar_start_ns(end_ns - days * _DAY_NS, _DAY_NS) if asked.start_ns is None else asked.start_ns
    if not 0 <= start_ns < end_ns:
        raise StopAndSayError(f"no bar lies between {to_rfc3339(max(0, start_ns))} and {to_rfc3339(end_ns)}")
    return start_ns, end_ns, to_now


def _say(*said: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in said)


if __name__ == "__main__":
    main()
