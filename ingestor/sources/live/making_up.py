"""Made-up prices as a part of a live stream."""

import logging
from collections.abc import Callable, Iterator, Sequence

from ingestor.sources.live.feed import Feed
from ingestor.sources.live.filling import Filling
from ingestor.sources.live.outgoing import FILL_NS, Outgoing
from ingestor.sources.live.roster_desk import RosterDesk
from ingestor.sources.live.stand_in import MadeUp, StandIn
from ingestor.sources.moments import Moment
from schemas.events import Origin
from schemas.times import NS_PER_SECOND, bar_start_ns

_log = logging.getLogger(__name__)

#: Stands in the frame for the provider where prices are made up.
STAND_IN = "simulated"


class MakingUp:
    """Plays made-up prices while no provider can.

    Args:
        feeds: All providers.
        after_seconds: So long after all are away, it begins; None: never.
        troubles: Says why they are away.
    """

    def __init__(
        self,
        feeds: Sequence[Feed],
        desk: RosterDesk,
        after_seconds: float | None,
        outgoing: Outgoing,
        filling: Filling,
        troubles: Callable[[], str],
    ) -> None:
        self._figures = feeds[0].figures.of(STAND_IN)
        self._desk = desk
        self._outgoing = outgoing
        self._filling = filling
        self._troubles = troubles
        self._stand_in = StandIn(None if after_seconds is None else int(after_seconds * NS_PER_SECOND))

    @property
    def plays(self) -> bool:
        """Tell whether prices are made up now."""
        return self._stand_in.plays

    def moments(self, feed: Feed, now_ns: int) -> Iterator[Moment]:
        """Give what is due, while the exchange is open.

        Args:
            feed: Who played last.
        """
        if not feed.sessions.is_open(now_ns):
            self.end()
            return
        if self._stand_in.is_due(now_ns):
            last = self._outgoing.splits.last_prices()
            prices = {ticker: last[ticker] for ticker in self._desk.roster.playing if ticker in last}
            if not prices:
                return
            yield from self._begin(feed, prices, now_ns)
        if self._stand_in.plays:
            yield self._moment(self._stand_in.take(now_ns))

    def end(self) -> None:
        """Note that somebody is back, or that nobody is wanted."""
        if self._stand_in.plays:
            self._figures.plays(False)
            _log.warning("prices are made up no more")
        self._stand_in.end()

    def _begin(self, feed: Feed, prices: dict[str, float], now_ns: int) -> Iterator[Moment]:
        self._stand_in.begin(prices, self._outgoing.number, now_ns)
        self._figures.plays(True)
        _log.warning("all are away: prices are made up from here on: %s", self._troubles())
        self._outgoing.fill_before(self._outgoing.reached_ns)
        minute_ns = bar_start_ns(now_ns, FILL_NS)
        if self._outgoing.filled_ns < minute_ns:
            yield self._filling.leave_out(feed, minute_ns, "prices are made up after it")

    def _moment(self, made_up: MadeUp) -> Moment:
        playing = set(self._desk.roster.playing)
        rows = [row for row in zip(*made_up.columns, made_up.times_ns, strict=True) if row[0] in playing]
        for ticker, price, size, time_ns in rows:
            self._outgoing.said.add(ticker, time_ns, price, size)
        if made_up.mark_ns is not None:
            self._outgoing.reach(made_up.mark_ns)
        return Moment(
            position=self._outgoing.next(),
            tickers=[ticker for ticker, _, _, _ in rows],
            times_ns=[time_ns for _, _, _, time_ns in rows],
            prices=[price for _, price, _, _ in rows],
            sizes=[size for _, _, size, _ in rows],
            origin=Origin.SIMULATED,
            watermark_ns=None if made_up.mark_ns is None else self._outgoing.reached_ns,
            provider=STAND_IN,
        )
