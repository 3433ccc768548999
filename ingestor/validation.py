"""What may go into the stream."""

from collections.abc import Iterable, Mapping
from math import inf, isfinite
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from ingestor.sources.moments import Fault, Moment, Rejected
from schemas.events import Tick
from schemas.symbols import is_ticker
from schemas.times import NS_PER_SECOND, to_rfc3339

_END_OF_TIME_NS = 2**63 - 1
#: So long a jump waits for its confirmation: watermarks wait with it.
_LONGEST_HELD_SECONDS = 10


class LiveBounds(msgspec.Struct, frozen=True, kw_only=True):
    """What is believed of a live source without a second word.

    Attributes:
        maximum_jump: Relative change of a price from tick to tick; 0: any.
        maximum_future_seconds: How far ahead of the clock a tick may be.
    """

    maximum_jump: float
    maximum_future_seconds: float


class _Held(NamedTuple):
    tick: Tick
    since_ns: int


class Validator:
    """Keeps bad ticks out, and of a live source holds a jump back until the next tick confirms it.

    A held tick goes out right before the one that confirms it, or is rejected with the next that does not. No watermark
    overtakes it, and so that they do not stand still, it is rejected too where none comes for a while. Its price still
    counts as one that a later tick may confirm, or a ticker that seldom ticks could never jump.

    Args:
        live: Bounds for a live source; None for others.
    """

    def __init__(self, live: LiveBounds | None = None) -> None:
        self._live = live
        self._latest_ns = inf
        self._known: set[str] = set()
        self._last_prices: dict[str, float] = {}
        self._held: dict[str, _Held] = {}
        self._doubted_prices: dict[str, float] = {}

    def check(self, moment: Moment, now_ns: int) -> Moment:
        """Give the moment with its good ticks only; the bad ones are among its rejected."""
        if self._live:
            self._latest_ns = now_ns + int(self._live.maximum_future_seconds * NS_PER_SECOND)
        jumps = self._live is not None and self._live.maximum_jump > 0
        if moment.rescaled:
            self._rescale(moment.rescaled)
        if not self._held and (not moment.tickers or (self._all_good(moment) and not jumps)):
            return moment
        good: list[Tick] = []
        rejected = [*moment.rejected, *self._give_up(now_ns)]
        for row in zip(moment.tickers, moment.times_ns, moment.prices, moment.sizes, strict=True):
            tick = Tick(*row)
            problem = self._problem(tick)
            if problem:
                rejected.append(_rejected(tick, *problem))
            elif jumps:
                self._confirm(tick, now_ns, good, rejected)
            else:
                good.append(tick)
        return _with(moment, good, rejected, self._capped(moment.watermark_ns))

    def _rescale(self, factors: Mapping[str, float]) -> None:
        """Expect prices on another scale."""
        for prices in (self._last_prices, self._doubted_prices):
            prices.update({name: prices[name] * factor for name, factor in factors.items() if name in prices})

    def release(self) -> list[Rejected]:
        """Give up what still waits for confirmation, at the end."""
        held, self._held = self._held, {}
        return [_rejected(tick, "jump", "no further tick confirmed the jump") for tick, _ in held.values()]

    def _give_up(self, now_ns: int) -> list[Rejected]:
        """Give up what has waited too long."""
        least_ns = now_ns - _LONGEST_HELD_SECONDS * NS_PER_SECOND
        late = [tick for tick, since_ns in self._held.values() if since_ns < least_ns]
        for tick in late:
            del self._held[tick.ticker]
            self._doubted_prices[tick.ticker] = tick.price
        reason = f"no further tick confirmed the jump within {_LONGEST_HELD_SECONDS} seconds"
        return [_rejected(tick, "jump", reason) for tick in late]

    def _capped(self, watermark_ns: int | None) -> int | None:
        """Give a watermark that no held tick lies before: it may still go out."""
        if watermark_ns is None:
            return None
        return min([watermark_ns, *(tick.time_ns for tick, _ in self._held.values())])

    def _all_good(self, moment: Moment) -> bool:
        return (
            isfinite(sum(moment.prices))
            and isfinite(sum(moment.sizes))
            and min(moment.prices) > 0
            and min(moment.sizes) >= 0
            and min(moment.times_ns) >= 0
            and max(moment.times_ns) <= min(self._latest_ns, _END_OF_TIME_NS)
            and (self._known.issuperset(moment.tickers) or self._learn(moment.tickers))
        )

    def _learn(self, tickers: Iterable[str]) -> bool:
        new = set(tickers) - self._known
        self._known |= {ticker for ticker in new if is_ticker(ticker)}
        return self._known >= new

    def _problem(self, tick: Tick) -> tuple[Fault, str] | None:
        if not (isfinite(tick.price) and tick.price > 0):
            return "price", f"price {tick.price} is not a positive number"
        if not (isfinite(tick.size) and tick.size >= 0):
            return "size", f"size {tick.size} is not a number from 0 up"
        if not self._learn([tick.ticker]):
            return "ticker", f"ticker {tick.ticker[:32]!r} is not a symbol, like 'BRK.B'"
        if not 0 <= tick.time_ns <= _END_OF_TIME_NS:
            return "time", f"time {tick.time_ns} is not in the years 1970 to 2262"
        if tick.time_ns > self._latest_ns:
            return "time", f"time {to_rfc3339(tick.time_ns)} lies too far in the future"
        return None

    def _confirm(self, tick: Tick, now_ns: int, good: list[Tick], rejected: list[Rejected]) -> None:
        held, doubted = self._held.pop(tick.ticker, None), self._doubted_prices.pop(tick.ticker, None)
        if held and self._near(held.tick.price, tick.price):
            good += [held.tick, tick]
            self._last_prices[tick.ticker] = tick.price
            return
        if held:
            rejected.append(_rejected(held.tick, "jump", f"the next tick, at {tick.price}, did not confirm the jump"))
        last = self._last_prices.get(tick.ticker, tick.price)
        if self._near(last, tick.price) or (doubted is not None and self._near(doubted, tick.price)):
            good.append(tick)
            self._last_prices[tick.ticker] = tick.price
        else:
            self._held[tick.ticker] = _Held(tick, now_ns)

    def _near(self, before: float, price: float) -> bool:
        return self._live is None or abs(price / before - 1.0) <= self._live.maximum_jump


def _rejected(tick: Tick, code: Fault, reason: str) -> Rejected:
    return Rejected(
        value=msgspec.json.encode(tick), code=code, reason=reason, place=f"{tick.ticker[:32]}@{tick.time_ns}"
    )


def _with(moment: Moment, ticks: list[Tick], rejected: list[Rejected], watermark_ns: int | None) -> Moment:
    return replace(
        moment,
        tickers=[tick.ticker for tick in ticks],
        times_ns=[tick.time_ns for tick in ticks],
        prices=[tick.price for tick in ticks],
        sizes=[tick.size for tick in ticks],
        rejected=rejected,
        watermark_ns=watermark_ns,
    )
