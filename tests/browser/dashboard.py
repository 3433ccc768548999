"""A gateway with something to show, and the page as a person sees it."""

import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

from axe_playwright_python.async_playwright import Axe
from msgspec import structs
from playwright.async_api import Browser, FloatRect, Page

from gateway.database.engine import open_engine
from gateway.database.migrate import migrate
from gateway.parts import Parts
from gateway.recorder.rows import RECORDED
from gateway.recorder.writing import Batch, write
from schemas.codec import encode
from schemas.events import Bar, BarSoFar, HoldOutScore, Prediction, ServiceState
from schemas.topics import OUTCOMES
from tests.gateway.boards import board
from tests.gateway.recorder.events import Said, example, spoken
from tests.gateway.samples import DAY_NS, make_parts, model_event, model_member, status
from tests.gateway.web import Running, running

BARS = 60
_SCORE = HoldOutScore(horizon=1, count=1456, mean_absolute_error=0.019, root_mean_squared_error=0.028, hit_rate=0.51)


def said(ticker: str, price: float = 100.0, **changes: Any) -> Prediction:
    """Give a prediction of now, of the bar after the recorded ones."""
    now_ns, of = time.time_ns(), example(Prediction)
    times = {"ingested_at_ns": now_ns, "featured_at_ns": now_ns, "predicted_at_ns": now_ns}
    named = {"id": f"{ticker}/{now_ns}", "ticker": ticker, "bar_index": BARS - 1, "current_price": price}
    return structs.replace(of, **named | times | changes)


def so_far(opened: float) -> BarSoFar:
    """Give the bar that a prediction is made in, by what it opened with."""
    of = example(Prediction).bar
    assert of is not None
    return structs.replace(of, open=opened)


def tell(parts: Parts, given: Prediction, seq: int) -> None:
    """Do what the intake does with a new prediction, now."""
    entry = parts.latest.accept(structs.replace(given, source_offset=seq), seq)
    assert entry is not None
    now_ns = time.time_ns()
    parts.predictions.publish(entry, 0, recorded_ns=now_ns, now_ns=now_ns, now_s=time.monotonic())


def close_bar(parts: Parts, ticker: str, number: int, close: float) -> None:
    """Do what the intake does with a bar that has closed after the recorded ones; nobody records it."""
    of, now_ns = example(Bar), time.time_ns()
    start_ns = of.start_ns + number * DAY_NS
    named = {"id": f"{ticker}/{number}", "ticker": ticker, "bar_index": number, "source_offset": number}
    closed = structs.replace(of, **named, start_ns=start_ns, end_ns=start_ns + DAY_NS, close=close)
    entry = parts.bars.view.accept(closed, number)
    assert entry is not None
    parts.bars.publish(entry, 0, recorded_ns=now_ns, now_ns=now_ns, now_s=time.monotonic())


def let_form(parts: Parts, ticker: str, number: int, price: float) -> None:
    """Do what the intake does with the bar that a provisional prediction saw forming after `number - 1`."""
    start_ns = example(Bar).start_ns + number * DAY_NS
    forming = structs.replace(so_far(price), start_ns=start_ns, end_ns=start_ns + DAY_NS, close=price)
    entry = parts.bars.view.forming(said(ticker, price, bar_index=number, bar=forming, provisional=True))
    assert entry is not None
    parts.bars.audience.publish(entry, time.monotonic())


def parts_with(*tickers: str, **changes: Any) -> Parts:
    """Give parts that are well and know these tickers; those of `spoken` have a recorded past, too."""
    parts = replace(make_parts(**({"heartbeat_seconds": 1.0} | changes)), clock_ns=time.time_ns)
    parts.board.set_state(ServiceState.READY)
    for seq, ticker in enumerate(tickers):
        tell(parts, said(ticker, 100.0 + seq), seq)
    for name in ("AAPL", "*"):
        parts.scores.accept(board(name))
    member = model_member(name="forest", hold_out=[_SCORE], feature_importance={"gap_scaled": 0.1})
    baselines = {"no_change": [structs.replace(_SCORE, hit_rate=None)]}
    event = model_event(members=[member], hold_out=[_SCORE], baselines=baselines, tickers=["AAPL", "MSFT"])
    parts.models.accept(event, 0)
    report(parts, "predictor")
    return parts


def report(parts: Parts, service: str, state: ServiceState = ServiceState.READY, message: str = "") -> None:
    """Let a service say how it is."""
    now_ns = time.time_ns()
    said_so = status(service, state=state, message=message, updated_at_ns=now_ns, rates={"predictions": 10.0})
    parts.services.accept(said_so, now_ns)


def recent(bars: int = BARS) -> Said:
    """Give what a stream has said of so many bars of each ticker; what the newest of them predicted has not matured."""
    return [(topic, event) for topic, event in spoken(bars) if topic is not OUTCOMES or event.bar_index < bars - 1]


def record(parts: Parts, kept: Said | None = None) -> Parts:
    """Fill the database as the recorder would, with what is `recent` where nothing else is given."""
    kept = recent() if kept is None else kept
    engine = open_engine(parts.settings)
    migrate(engine)
    for topic, table, rows in RECORDED:
        batch = {table: [row for known, event in kept if known is topic for row in rows(encode(event), 0)]}
        write(engine, Batch(batch))
    engine.dispose()
    return parts


@dataclass
class Visit:
    """A page that somebody looks at, and what it complained of."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    async def text(self, selector: str) -> str:
        """Give the text of an element, once it is there."""
        return await self.page.locator(selector).first.inner_text()

    async def serious_findings(self) -> list[str]:
        """Give what axe finds of serious or critical impact."""
        found = (await Axe().run(self.page)).response["violations"]
        return [
            f"{one['id']}: {node['target']} {node.get('failureSummary', '')}"
            for one in found
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]

    async def box(self, selector: str) -> FloatRect:
        """Give where the first such element is."""
        box = await self.page.locator(selector).first.bounding_box()
        assert box is not None, selector
        return box

    async def wider_than_the_window(self) -> bool:
        """Tell whether the page has to be scrolled sideways."""
        script = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        wider: bool = await self.page.evaluate(script)
        return wider


#: What Chromium says of a server that is away: the tests take it away.
SERVER_AWAY = ("ERR_CONNECTION_REFUSED", "Error during WebSocket handshake", "WebSocket connection to")


@contextlib.asynccontextmanager
async def visiting(
    browser: Browser, url: str, *, allowed: tuple[str, ...] = (), **options: Any
) -> AsyncIterator[Visit]:
    """Open the page; at the end nothing may have been complained of but what is allowed."""
    context = await browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
    page = await context.new_page()
    page.set_default_timeout(30_000)
    visit = Visit(page)
    page.on("console", lambda said: visit.complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    await page.goto(url)
    try:
        yield visit
    finally:
        await context.close()
    unexpected = [one for one in visit.complaints if not any(part in one for part in allowed)]
    assert unexpected == [], unexpected


@contextlib.asynccontextmanager
async def shown(
    browser: Browser, parts: Parts, place: str = "", **options: Any
) -> AsyncIterator[tuple[Running, Visit]]:
    """Serve parts, and open a place of the page."""
    async with running(parts) as server, visiting(browser, f"{server.url}/{place}", **options) as visit:
        yield server, visit
