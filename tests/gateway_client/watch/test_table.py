"""The table, as it is printed."""

import io
from typing import Any

import pytest
from rich.console import Console

from gateway.client import Disconnected
from gateway.client.watch.rows import Wish
from gateway.client.watch.table import Sight, shown_tickers, view
from schemas.events import OLD_MODELS, Direction, Origin, Signal
from schemas.public import PublicHorizon
from schemas.sockets import Snapshot, StreamedPrediction
from tests.gateway_client.samples import streamed
from tests.gateway_client.watch.test_board import NOW_NS, PAST, board_with


def horizon(bars: int = 1, **changes: Any) -> PublicHorizon:
    values: dict[str, Any] = {
        "horizon": bars,
        "target_time": "2026-01-02T00:00:00Z",
        "price_target": 155.0,
        "confidence": 0.75,
        "direction": Direction.BULLISH,
        "log_return": 0.0328,
        "percent": 3.33,
        "interval_95": None,
        "interval_99": None,
        "signal": Signal.BUY,
    }
    return PublicHorizon(**values | changes)


def said(ticker: str, price: float = 150.0, **changes: Any) -> StreamedPrediction:
    at = changes.pop("horizon", horizon())
    times = {"ingested_at": "2026-01-01T00:01:55Z", "updated_at": "2026-01-01T00:01:58Z"}
    values = {"current_price": price, "prediction": at, "horizons": [at, horizon(5, price_target=99.0)], "bar": None}
    return streamed(ticker, 1, None, **values, **times, **changes)


MARKET = [
    said("AAPL"),
    said("FB", 30.0, degraded="forest [red]is away", origin=Origin.WARM_UP),
    said("IBM", 90.0, horizon=horizon(direction=Direction.BEARISH, confidence=0.61, signal=Signal.SELL)),
    said(
        "MSFT",
        200.0,
        degraded=OLD_MODELS,
        horizon=horizon(direction=Direction.NEUTRAL, confidence=0.5, signal=Signal.HOLD),
    ),
]


def printed(*, wish: Wish | None = None, width: int = 160, color: bool = False, lost: bool = False, **more: Any) -> str:
    board = board_with(Snapshot(MARKET))
    board.closes.fill("AAPL", [PAST, PAST])
    if lost:
        board.take(Disconnected(None, "the network failed", 4.0), NOW_NS)
    console = Console(width=width, record=True, file=io.StringIO(), force_terminal=True, color_system="standard")
    console.print(view(board, wish or Wish(), Sight(NOW_NS, width, **more)))
    return console.export_text(styles=color)


def tickers_of(text: str) -> list[str]:
    names = {one.ticker for one in MARKET}
    return [line.split()[0] for line in text.splitlines() if line.split()[:1] and line.split()[0] in names]


def test_a_row_says_all_in_words() -> None:
    lines = printed().splitlines()
    assert lines[0].split() == ["Tickcast", "●", "live"]
    assert lines[1].rstrip() == "4 tickers · newest data 2 s old"
    heads = ["Ticker", "Price", "Change", "Closes", "Target", "Expected", "Direction", "Conf.", "Age", "Remarks"]
    assert lines[2].split() == heads
    apple, facebook, ibm, microsoft = lines[3:7]
    assert apple.split() == ["AAPL", "150.00", "-", "▁▁", "155.00", "+3.33%", "▲", "bullish", "75%", "5", "s", "BUY"]
    assert "BUY, degraded: forest [red]is away, warm up" in facebook
    assert "▼ bearish    61%" in ibm
    assert "HOLD, old models" in microsoft


@pytest.mark.parametrize(
    ("width", "heads"),
    [
        (100, "Ticker Price Change Closes Target Expected Direction Conf. Age Remarks"),
        (80, "Ticker Price Change Closes Target Direction Conf. Age Remarks"),
        (60, "Ticker Price Change Target Direction Conf. Age"),
        (40, "Ticker Price Target Direction Conf."),
        (20, "Ticker Price Age"),
        (3, "Ti…"),
    ],
)
def test_a_narrow_terminal_leaves_out_columns_and_never_breaks_a_line(width: int, heads: str) -> None:
    lines = printed(width=width, height=24, troubles=["a service with a long name is away"]).splitlines()
    assert max(map(len, lines)) <= width
    assert lines[3].split() == heads.split()
    assert len(lines) == 2 + 1 + 1 + len(MARKET) + 1


def test_no_more_rows_than_fit_and_the_head_says_so() -> None:
    text = printed(height=7)
    assert len(text.splitlines()) == 7
    assert "3 of 4 tickers" in text
    assert tickers_of(text) == ["AAPL", "FB", "IBM"]
    assert tickers_of(printed(height=1)) == ["AAPL"]


@pytest.mark.parametrize(
    ("wish", "tickers"),
    [
        (Wish(sort="price"), ["MSFT", "AAPL", "IBM", "FB"]),
        (Wish(sort="confidence"), ["AAPL", "FB", "IBM", "MSFT"]),
        (Wish(("MSFT", "AAPL")), ["MSFT", "AAPL"]),
        (Wish(("MSFT", "AAPL"), sort="ticker"), ["AAPL", "MSFT"]),
    ],
)
def test_rows_are_in_the_order_that_was_asked_for(wish: Wish, tickers: list[str]) -> None:
    assert tickers_of(printed(wish=wish)) == tickers
    assert shown_tickers(board_with(Snapshot(MARKET)), wish, Sight(NOW_NS, 80)) == tickers


def test_another_horizon_is_shown_where_there_is_one() -> None:
    assert "99.00" in printed(wish=Wish(horizon=5))
    assert "99.00" not in printed(wish=Wish(horizon=7))


def test_trouble_and_a_lost_connection_stand_at_the_top() -> None:
    lines = printed(lost=True, troubles=["predictor is away"]).splitlines()
    assert "○ not connected, trying again in 4 s" in lines[0]
    assert "what you see is 2 s old" in lines[1]
    assert [line.rstrip() for line in lines[2:4]] == ["the network failed", "Degraded: predictor is away"]


def test_a_price_that_moved_is_reversed_in_the_next_frame_alone() -> None:
    reverse = "\x1b[7m"
    assert printed(color=True, moved={"IBM"}).count(reverse) == 1
    assert reverse not in printed(color=True)
