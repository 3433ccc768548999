"""How old a model set is: bars since the last one that its training has seen."""

from dataclasses import dataclass

from predictor.targets import trading_days_before
from schemas.times import Interval, interval_ns

_DAY_NS = interval_ns("1d")


def bars_between(start_ns: int, end_ns: int, interval: Interval) -> int:
    """Count the bars that end after one time and not after another; 0 where that comes first.

    Counted as targets are estimated: daily bars on Mondays to Fridays (holidays are not known), shorter ones without a
    pause, nights and weekends too.
    """
    if interval == "1d":
        count = trading_days_before(end_ns // _DAY_NS) - trading_days_before(start_ns // _DAY_NS)
    else:
        length_ns = interval_ns(interval)
        count = end_ns // length_ns - start_ns // length_ns
    return max(0, count)


@dataclass(frozen=True, slots=True)
class AgeRule:
    """From when on a set is stale, and what follows.

    Attributes:
        most_bars: Since the end of its training; 0: it never is.
        refuse: The statistical forecaster answers in its place; else it answers, and says so.
    """

    interval: Interval = "1d"
    most_bars: int = 0
    refuse: bool = False

    def is_stale(self, train_end_ns: int, as_of_ns: int) -> bool:
        """Tell whether a set is stale for predictions as of a time."""
        return self.most_bars > 0 and bars_between(train_end_ns, as_of_ns, self.interval) > self.most_bars


NEVER_STALE = AgeRule()
