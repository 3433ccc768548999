"""Scores and how far they reach, made into a scoreboard."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from feature_stream.calibration import FIRST_INTERVALS, PRIOR_WEIGHTS, version_of
from schemas.events import HorizonScore, Outcome, Scoreboard
from schemas.identity import scoreboard_id
from schemas.times import Interval

#: The ticker of the board of all.
ALL = "*"
#: The partition of the board of all, which comes from every partition.
NO_PARTITION = -1
#: What answers in the place of any set: where none is trained, and for a ticker that is warming up.
STAND_IN = "statistical"
#: Of an outcome: the start of its last known bar, its horizon, the set that answered.
Newest = tuple[int, int, str]


@dataclass(slots=True)
class Marks:
    """How far the outcomes of a ticker reach; each is the largest that was seen, so their order does not matter."""

    through_ns: int = 0
    bars: int = 0
    partition: int = 0
    offset: int = -1
    newest: Newest = (-1, 0, "")

    def take(self, outcome: Outcome) -> None:
        """Reach as far as an outcome does."""
        self.through_ns = max(self.through_ns, outcome.matured_ns)
        self.bars = max(self.bars, outcome.bar_index + outcome.horizon)
        self.offset, self.partition = max(
            (self.offset, self.partition), (outcome.source_offset, outcome.source_partition)
        )
        self.newest = max(self.newest, (outcome.start_ns, outcome.horizon, outcome.model_set))


def newest_of_all(newest: Iterable[Newest]) -> Newest:
    """Give the newest outcome of all tickers by those of each, with the set that answered most of the newest date.

    That is the one that serves, also where a challenger has a share of the tickers. The stand-in counts where no set
    answered; ties go by name.
    """
    of_each = list(newest)
    newest_ns = max(start_ns for start_ns, _, _ in of_each)
    last = [each for each in of_each if each[0] == newest_ns]
    counts = Counter(model_set for _, _, model_set in last)
    name = max(counts, key=lambda name: (name != STAND_IN, counts[name], name))
    return newest_ns, max(horizon for _, horizon, _ in last), name


def make_board(
    ticker: str,
    interval: Interval,
    marks: Marks,
    horizons: list[HorizonScore],
    drift: dict[str, str],
    now_ns: int,
) -> Scoreboard:
    """Name the weights, the widths and the board by what they are."""
    weights = [(score.horizon, score.weights) for score in horizons if score.weights]
    widths = [(score.horizon, score.width_95, score.width_99) for score in horizons if _has_width(score)]
    model_set = marks.newest[2]
    content = version_of([model_set, marks.bars, horizons, drift])
    return Scoreboard(
        id=scoreboard_id(ticker, interval, marks.through_ns, content),
        ticker=ticker,
        interval=interval,
        model_set=model_set,
        through_ns=marks.through_ns,
        bar_index=marks.bars,
        horizons=horizons,
        weights_version=version_of(weights) if weights else PRIOR_WEIGHTS,
        intervals_version=version_of(widths) if widths else FIRST_INTERVALS,
        source_partition=marks.partition,
        source_offset=marks.offset,
        updated_at_ns=now_ns,
        drift=drift,
    )


def _has_width(score: HorizonScore) -> bool:
    return score.width_95 is not None or score.width_99 is not None
