"""What becomes of every tick of a log, said from the whole log at once: no step after step, no state, no floors.

Which ticks are taken hangs on when bars closed, and when bars close on which ticks are taken. What is right is the one
answer that agrees with itself: begin with any, hold it against the rule, until the rule has nothing to change. There is
only one, for the rule looks at nothing but earlier arrivals: each round puts at least one more arrival right for good.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from feature_stream.rules import StageRules
from schemas.events import ORIGIN_RANK, TickFrame
from schemas.partitioning import partition_of

Numbers = NDArray[np.int64]
Yes = NDArray[np.bool_]

NEVER = int(np.iinfo(np.int64).min)
#: The arrival that closes a bar which the log leaves open.
NOT_YET = int(np.iinfo(np.int64).max)


class Loss(NamedTuple):
    """What a source said that it lost: some of the ticks before a time."""

    arrival: int
    source: str
    before_ns: int


class Reference:
    """The ticks of a log with their fates, and the arrivals that close their bars.

    Attributes:
        offsets: Of each arrival. Ticks, and watermarks after their frame's ticks, are counted in the order of the log;
            frames that came before do not arrive.
        ticks: One row for each that arrives. `fate` is `taken`, `late`, `early` or `partition`; `start_ns` and
            `end_ns` are its bar's; `closed_at` is the arrival that closes its bar.
        marks: The watermarks.
        losses: What sources said that they lost.
        repeated: Offsets of frames that came before.
    """

    def __init__(self, log: Sequence[TickFrame], rules: StageRules, partition: int = 0) -> None:
        self.rules, self.partition = rules, partition
        self.repeated = [offset for offset in range(len(log)) if _came_before(log, offset)]
        self.offsets, self.ticks, self.marks, self.losses = _arrivals(log, set(self.repeated))
        length_ns = {"1s": 1, "1m": 60, "5m": 300, "1h": 3_600, "1d": 86_400}[rules.interval] * 1_000_000_000
        self._marks = {name: self.marks[name].to_numpy() for name in self.marks}
        self.ticks["start_ns"] = self.ticks.time_ns // length_ns * length_ns
        self.ticks["end_ns"] = self.ticks.start_ns + length_ns
        self.ticks["fate"], self.ticks["closed_at"] = "taken", NOT_YET
        home = [partition_of(name, rules.partitions) == partition for name in self.ticks.ticker]
        self._fate("late", self._behind_own_watermark())
        self._fate("partition", ~np.array(home, bool))
        self._fate("early", self._early())
        for ticker in self.ticks.ticker[self.ticks.fate == "taken"].unique():
            self._follow(ticker)

    @property
    def bad(self) -> list[tuple[int, int, str]]:
        """Offset, index in the frame, and why; in the order of the log."""
        bad = self.ticks[self.ticks.fate != "taken"]
        return list(zip(bad.offset.tolist(), bad["index"].tolist(), bad.fate.tolist(), strict=True))

    @property
    def taken(self) -> pd.DataFrame:
        return self.ticks[self.ticks.fate == "taken"]

    def losses_of(self, rows: pd.DataFrame) -> list[Loss]:
        """Give the losses that a ticker with these ticks hears of: its last tick before is of their source."""
        sources, arrivals = rows.source.tolist(), _column(rows, "arrival")
        last = [int(np.searchsorted(arrivals, loss.arrival)) - 1 for loss in self.losses]
        return [loss for loss, row in zip(self.losses, last, strict=True) if row >= 0 and sources[row] == loss.source]

    def lost_before(self, source: str, arrival: int) -> int:
        """Give the time before which a source had lost some when something arrived; `NEVER`: it had not."""
        told = [loss.before_ns for loss in self.losses if loss.source == source and loss.arrival < arrival]
        return max(told, default=NEVER)

    def _fate(self, fate: str, which: Yes) -> None:
        self.ticks.loc[which, "fate"] = fate

    def _behind_own_watermark(self) -> Yes:
        """A source takes up again what it said was over."""
        behind = np.zeros(len(self.ticks), bool)
        for source in self.ticks.source.unique():
            own = (self.ticks.source == source).to_numpy()
            rows, marks = self.ticks[own], self.marks[self.marks.source == source]
            said = _newest_before(_column(rows, "arrival"), _column(marks, "arrival"), _column(marks, "watermark_ns"))
            behind[own] = said >= _column(rows, "end_ns")
        return behind

    def _early(self) -> Yes:
        early = np.zeros(len(self.ticks), bool)
        if self.rules.early_ns is not None:
            for source in self.ticks.source.unique():
                own = (self.ticks.source == source).to_numpy()
                early[own] = self._early_of(self.ticks[own], self.marks[self.marks.source == source])
        return early

    def _early_of(self, rows: pd.DataFrame, marks: pd.DataFrame) -> Yes:
        """An early tick moves no time: only those before it that are not early count, and watermarks."""
        arrivals, times = _column(rows, "arrival"), _column(rows, "time_ns")
        told = np.r_[arrivals, _column(marks, "arrival")]
        order = np.argsort(told)

        def rule(early: Yes) -> Yes:
            moments = np.r_[np.where(early, NEVER, times), _column(marks, "watermark_ns")]
            known = _newest_before(arrivals, told[order], moments[order])
            ahead: Yes = (known != NEVER) & (times - (self.rules.early_ns or 0) > known)
            return ahead

        return _settled(rule, len(rows))

    def _follow(self, ticker: str) -> None:
        """Find which of a ticker's ticks come too late for their bar, and when its bars close."""
        own = np.flatnonzero((self.ticks.ticker == ticker) & (self.ticks.fate == "taken"))
        rows = {name: self.ticks[name].to_numpy()[own] for name in ("arrival", "time_ns", "end_ns", "source")}
        arrivals, ends = rows["arrival"], rows["end_ns"]

        def rule(late: Yes) -> Yes:
            taken = {name: column[~late] for name, column in rows.items()}
            bar_ends, closed_at = self._closings(taken)
            closed = ((bar_ends[:, None] >= ends) & (closed_at[:, None] < arrivals)).any(axis=0)
            newest = _newest_before(arrivals, taken["arrival"], taken["time_ns"])
            passed: Yes = newest >= ends + self.rules.lateness_ns
            return closed | passed

        late = _settled(rule, len(own))
        bar_ends, closed_at = self._closings({name: column[~late] for name, column in rows.items()})
        self.ticks.loc[own[late], "fate"] = "late"
        self.ticks.loc[own[~late], "closed_at"] = closed_at[np.searchsorted(bar_ends, ends[~late])]

    def _closings(self, taken: dict[str, Any]) -> tuple[Numbers, Numbers]:
        """Give the end of each of a ticker's bars, and the first arrival that says so, once there is the bar."""
        arrivals, sources = taken["arrival"], taken["source"]
        marked_at, marks, speakers = (self._marks[name] for name in ("arrival", "watermark_ns", "source"))
        last_before = np.searchsorted(arrivals, marked_at) - 1
        speaks = (last_before >= 0) & (sources[last_before] == speakers)
        said_at = np.r_[arrivals, marked_at[speaks]]
        through = np.r_[taken["time_ns"] - self.rules.lateness_ns, marks[speaks]]
        ends, first = np.unique(taken["end_ns"], return_index=True)
        closing = (said_at >= arrivals[first][:, None]) & (through >= ends[:, None])
        return ends, np.where(closing, said_at, NOT_YET).min(axis=1, initial=NOT_YET)


def _came_before(log: Sequence[TickFrame], offset: int) -> bool:
    frame = log[offset]
    return any(one.source == frame.source and one.sequence >= frame.sequence for one in log[:offset])


def _arrivals(log: Sequence[TickFrame], repeated: set[int]) -> tuple[Numbers, pd.DataFrame, pd.DataFrame, list[Loss]]:
    offsets: list[int] = []
    ticks: list[tuple[object, ...]] = []
    marks: list[tuple[object, ...]] = []
    losses: list[Loss] = []
    for offset, frame in enumerate(log):
        if offset in repeated:
            continue
        if frame.lost_before_ns is not None:
            losses.append(Loss(len(offsets), frame.source, frame.lost_before_ns))
            offsets.append(offset)
        place = (frame.source, ORIGIN_RANK[frame.origin], frame.ingested_at_ns)
        for index, tick in enumerate(zip(frame.tickers, frame.times_ns, frame.prices, frame.sizes, strict=True)):
            ticks.append((len(offsets), offset, index, *place, *tick))
            offsets.append(offset)
        if frame.watermark_ns is not None:
            marks.append((len(offsets), offset, frame.source, frame.watermark_ns))
            offsets.append(offset)
    columns = ["arrival", "offset", "index", "source", "origin_rank", "ingested_at_ns"]
    tick_table = pd.DataFrame(ticks, columns=[*columns, "ticker", "time_ns", "price", "size"])
    mark_table = pd.DataFrame(marks, columns=["arrival", "offset", "source", "watermark_ns"])
    # Columns without a row are of no type.
    tick_types = dict.fromkeys(["arrival", "offset", "index", "time_ns"], np.int64)
    mark_types = dict.fromkeys(["arrival", "watermark_ns"], np.int64)
    arrivals = np.array(offsets, np.int64)
    return arrivals, tick_table.astype(tick_types), mark_table.astype(mark_types), losses


def _column(rows: pd.DataFrame, name: str) -> Numbers:
    return rows[name].to_numpy(np.int64)


def _newest_before(asked: Numbers, told: Numbers, values: Numbers) -> Numbers:
    """At each arrival that is asked, give the greatest value told before it; `NEVER` where there is none."""
    newest: Numbers = np.r_[NEVER, np.maximum.accumulate(values)].astype(np.int64)
    return newest[np.searchsorted(told, asked)]


def _settled(rule: Callable[[Yes], Yes], length: int) -> Yes:
    guess = np.zeros(length, bool)
    for _ in range(length + 2):
        told = rule(guess)
        if (told == guess).all():
            return guess
        guess = told
    raise AssertionError("the rule looks at later arrivals")
