"""What has gone out of a live source, and how far that is."""

from collections.abc import Collection, Mapping, Sequence

from ingestor.sources.live.said import Addition, SaidBars
from ingestor.sources.live.splits import Splits
from ingestor.sources.moments import Moment, Position
from ingestor.sources.pace import QUIET_SECONDS
from schemas.events import Origin, Tick
from schemas.times import NS_PER_SECOND, Interval, bar_start_ns, interval_ns

#: Gaps are filled with bars of this length.
FILL_INTERVAL: Interval = "1m"
FILL_NS = interval_ns(FILL_INTERVAL)


class Outgoing:
    """Numbers moments, and remembers what they said.

    A position is (number of the moment, time before which everything has gone out).

    Args:
        splits: Compares prices that were said with history.

    Attributes:
        reached_ns: The newest watermark.
        filled_ns: Everything before it has gone out, or is lost and that was said.
        said: Bars that history may have to complete.
    """

    def __init__(self, splits: Splits) -> None:
        self.splits = splits
        self.said = SaidBars(FILL_NS)
        self.reached_ns = 0
        self.filled_ns = 0
        self.number = 0

    def go_on(self, after: Position, places: Collection[Position]) -> None:
        """Begin where the log ends, as far as all of its partitions are there."""
        self.number = after[0]
        self.reached_ns = min((place[1] for place in places), default=after[1])
        self.filled_ns = bar_start_ns(self.reached_ns, FILL_NS)

    def take_up(self, ticks: Sequence[Tick], last_ticks: Mapping[str, Tick]) -> None:
        """Learn what went out before the start: all ticks that history may have to complete, and the newest ones."""
        self.splits.take_up(last_ticks)
        for tick in ticks:
            self.said.add(tick.ticker, tick.time_ns, tick.price, tick.size)

    def note(self, ticker: str, time_ns: int, price: float, size: float) -> None:
        """Take a real tick that goes out."""
        self.said.add(ticker, time_ns, price, size)
        self.splits.note(ticker, time_ns, price)

    def fill_before(self, time_ns: int) -> None:
        """Note that nothing comes any more of what lies before a time."""
        self.filled_ns = max(self.filled_ns, bar_start_ns(time_ns, FILL_NS))

    def reach(self, watermark_ns: int) -> None:
        """Note that everything before a time has gone out; minutes that ended before it are forgotten."""
        self.reached_ns = max(self.reached_ns, watermark_ns)
        self.said.forget_before(bar_start_ns(self.reached_ns, FILL_NS))

    def worth_reaching(self, watermark_ns: int | None, whole_ns: int) -> int | None:
        """Give a watermark that is above the last one by enough to be worth a frame.

        Args:
            whole_ns: Up to there history is asked for what was missed, which holds it back.
        """
        if watermark_ns is None:
            return None
        if self.filled_ns < whole_ns:
            watermark_ns = min(watermark_ns, self.filled_ns)
        if watermark_ns - self.reached_ns < QUIET_SECONDS * NS_PER_SECOND:
            return None
        self.reach(watermark_ns)
        return watermark_ns

    def past(self, additions: Sequence[Addition], origin: Origin, watermark_ns: int, provider: str) -> Moment:
        """Give ticks that were made of history."""
        self.reach(watermark_ns)
        for addition in additions:
            self.splits.note(addition.ticker, addition.time_ns, addition.price)
        return Moment(
            position=self.next(),
            tickers=[addition.ticker for addition in additions],
            times_ns=[addition.time_ns for addition in additions],
            prices=[addition.price for addition in additions],
            sizes=[addition.size for addition in additions],
            origin=origin,
            watermark_ns=self.reached_ns,
            provider=provider,
        )

    def next(self) -> Position:
        """Give the position of the next moment."""
        self.number += 1
        return (self.number, self.reached_ns)
