"""What is asked of Alpha Vantage again and again, and what of its answers is new."""

from collections.abc import Sequence

from ingestor.sources.bar_play import PlayedBar, four_prices, four_sizes
from ingestor.sources.live.messages import bar_ticks
from ingestor.sources.live.provider import LiveTick
from ingestor.sources.live.sessions import Sessions
from ingestor.sources.providers.alphavantage_answers import Quote, new_york, read_bars, read_quote
from ingestor.sources.providers.alphavantage_questions import LATEST_MINUTES, QUOTE
from schemas.times import NS_PER_SECOND, bar_start_ns, from_rfc3339, interval_ns

_MINUTE_NS = interval_ns("1m")
#: Longer than what is left of any session, shorter than the time to the next.
_HALF_DAY_NS = interval_ns("1d") // 2


class Polls:
    """What one connection has asked for, and what of the answers is new.

    Args:
        since_ns: When it began.
        days_only: A quote is of a whole day, and there is one a day.
        minutes: Bars of minutes are asked for, not quotes.
        settled_seconds: So long after its end a bar is there for every ticker.
        closing_seconds: So long after a close its last minute is asked for.
    """

    def __init__(
        self,
        sessions: Sessions,
        tickers: Sequence[str],
        since_ns: int,
        *,
        days_only: bool,
        minutes: bool,
        settled_seconds: float,
        closing_seconds: float,
    ) -> None:
        self._sessions = sessions
        self._since_ns = since_ns
        self._days_only = days_only
        self._minutes = minutes
        self._settled_ns = int(settled_seconds * NS_PER_SECOND)
        self._closing_ns = int(closing_seconds * NS_PER_SECOND)
        self._until_ns = since_ns
        self._quotes: dict[str, Quote] = {}
        self._bars_from_ns = dict.fromkeys(tickers, bar_start_ns(since_ns, _MINUTE_NS))
        self.question = LATEST_MINUTES if minutes else QUOTE

    def begin_round(self, now_ns: int) -> None:
        """Note when tickers begin to be asked about: of each only minutes are taken that all have by then."""
        self._until_ns = now_ns - self._settled_ns

    def open_ns(self, now_ns: int) -> int:
        """Give how long there is still to ask today; 0: all that comes today has come, or nothing comes."""
        if all(self.knows_all_of(ticker, now_ns) for ticker in self._bars_from_ns):
            return 0
        if self._sessions.is_open(now_ns):
            return self._sessions.open_ns_between(now_ns, now_ns + _HALF_DAY_NS) + self._closing_ns
        begin_ns = now_ns - self._closing_ns
        left_ns = self._sessions.open_ns_between(begin_ns, now_ns)
        close_ns = begin_ns + left_ns
        return left_ns if min(self._bars_from_ns.values()) < close_ns else 0

    def knows_all_of(self, ticker: str, now_ns: int) -> bool:
        """Tell whether nothing more comes today: on the free plan after the day's one quote."""
        quote = self._quotes.get(ticker)
        return self._days_only and quote is not None and quote.day == new_york(now_ns).date()

    def news(self, ticker: str, body: bytes, now_ns: int) -> list[LiveTick]:
        """Give the ticks of an answer that were not in those before."""
        return self._new_bars(ticker, body) if self._minutes else self._new_quote(ticker, read_quote(body), now_ns)

    def _new_quote(self, ticker: str, quote: Quote, now_ns: int) -> list[LiveTick]:
        last = self._quotes.get(ticker)
        self._quotes[ticker] = quote
        if quote == last or quote.day != new_york(now_ns).date():
            return []
        volume = self._growth(quote, last)
        if not self._days_only:
            return [LiveTick(ticker, now_ns, quote.price, volume)]
        prices = four_prices(PlayedBar(ticker, quote.open, quote.high, quote.low, quote.price, volume))
        steps = enumerate(zip(prices, four_sizes(volume), strict=True))
        return [LiveTick(ticker, now_ns + step, price, size, f"{quote.day} {step}") for step, (price, size) in steps]

    def _growth(self, quote: Quote, last: Quote | None) -> float:
        """Give the volume since the last quote; what was traded before the first one, history has."""
        if last is not None and last.day == quote.day:
            return max(0.0, quote.volume - last.volume)
        day_ns = from_rfc3339(quote.day.isoformat())
        from_the_open = self._sessions.open_ns_between(day_ns, max(day_ns, self._since_ns)) == 0
        return quote.volume if last is not None or from_the_open else 0.0

    def _new_bars(self, ticker: str, body: bytes) -> list[LiveTick]:
        ticks = []
        for start_seconds, *numbers in sorted(read_bars(body, "1m")):
            start_ns = int(start_seconds) * NS_PER_SECOND
            if self._bars_from_ns[ticker] <= start_ns <= self._until_ns - _MINUTE_NS:
                ticks += bar_ticks(PlayedBar(ticker, *numbers), start_ns, _MINUTE_NS)
                self._bars_from_ns[ticker] = start_ns + _MINUTE_NS
        return ticks
