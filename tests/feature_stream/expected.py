"""The events that a whole log calls for: bars, their features by TA-Lib and pandas, and every provisional word."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from feature_stream.rules import StageRules
from schemas.events import Bar, BarSoFar, Features, Origin, TickFrame
from schemas.features import FEATURE_VERSION
from schemas.identity import bar_id, final_feature_id, provisional_feature_id
from tests.feature_stream import oracle
from tests.feature_stream.reference import NOT_YET, Loss, Reference

_ORIGINS = tuple(Origin)


def folded(ticks: pd.DataFrame) -> pd.DataFrame:
    """Give the bars of one ticker's ticks, oldest first: open and close by event time, ties by arrival."""
    of = {name: ticks[name].to_numpy() for name in ticks}
    by_time, by_arrival = (np.lexsort((of["arrival"], of[key], of["start_ns"])) for key in ("time_ns", "arrival"))
    starts, first, count = np.unique(of["start_ns"][by_time], return_index=True, return_counts=True)
    opening, closing, newest = by_time[first], by_time[first + count - 1], by_arrival[first + count - 1]
    columns = {
        "start_ns": starts,
        "end_ns": of["end_ns"][opening],
        "open": of["price"][opening],
        "high": np.maximum.reduceat(of["price"][by_time], first),
        "low": np.minimum.reduceat(of["price"][by_time], first),
        "close": of["price"][closing],
        "volume": np.add.reduceat(of["size"][by_time], first),
        "tick_count": count,
        "last_ns": of["time_ns"][closing],
        "source": of["source"][newest],
        "origin_rank": np.maximum.reduceat(of["origin_rank"][by_time], first),
        "closed_at": of["closed_at"][opening],
        "opened_at": np.minimum.reduceat(of["arrival"][by_time], first),
    }
    return pd.DataFrame(columns)


def _cuts(loss: Loss, bar: Any) -> bool:
    """Tell whether a bar was open when a loss was told, and had begun before its end."""
    return bool(bar.opened_at < loss.arrival < bar.closed_at and bar.start_ns < loss.before_ns)


class Expected:
    """All that the stage must say of one partition's log."""

    def __init__(self, log: Sequence[TickFrame], rules: StageRules, partition: int = 0) -> None:
        self.log, self.rules, self.partition = log, rules, partition
        self.reference = Reference(log, rules, partition)
        self.tickers = {str(name): rows for name, rows in self.reference.taken.groupby("ticker")}

    @cached_property
    def _closed(self) -> dict[str, pd.DataFrame]:
        closed = {name: rows[rows.closed_at != NOT_YET] for name, rows in self.tickers.items()}
        return {name: self._folded(name, rows) for name, rows in closed.items() if len(rows)}

    def _folded(self, ticker: str, rows: pd.DataFrame, through: int = NOT_YET) -> pd.DataFrame:
        """Give a ticker's bars as they stand before an arrival, with those that a loss has cut."""
        bars, reference = folded(rows), self.reference
        losses = [loss for loss in reference.losses_of(self.tickers[ticker]) if loss.arrival < through]
        sources = dict(zip(rows.arrival.tolist(), rows.source.tolist(), strict=True))
        told: Any = list(bars.itertuples())
        bars["partial"] = [
            row.start_ns < reference.lost_before(sources[row.opened_at], row.opened_at)
            or any(_cuts(loss, row) for loss in losses)
            for row in told
        ]
        return bars

    def bars(self) -> dict[str, list[Bar]]:
        """Give the closed bars of each ticker that has any."""
        return {
            name: [self._bar(name, index, row) for index, row in enumerate(bars.itertuples(), 1)]
            for name, bars in self._closed.items()
        }

    def finals(self) -> dict[str, list[Features]]:
        """Give the final features of each ticker that has any."""
        said = {}
        for name, bars in self._closed.items():
            history = oracle.History(bars)
            said[name] = [self._final(name, history, place, row) for place, row in enumerate(bars.itertuples())]
        return said

    def provisional(self, ticker: str, offset: int) -> Features | None:
        """Give what may be said of a ticker after a frame of the log; None: nothing is open."""
        through = int(np.searchsorted(self.reference.offsets, offset, "right"))
        rows = self.tickers[ticker]
        rows = rows[rows.arrival < through]
        if not (rows.closed_at >= through).any():
            return None
        bars = self._folded(ticker, rows, through)
        closed = bars[bars.closed_at < through]
        cuts = [
            loss.arrival
            for loss in self.reference.losses_of(self.tickers[ticker])
            if loss.arrival < through and any(_cuts(loss, row) for row in bars.itertuples())
        ]
        offsets = self.reference.offsets
        heard_at = max([int(rows.arrival.max()), *cuts])
        place = int(offsets[max(heard_at, int(closed.closed_at.max()) if len(closed) else 0)])
        newest: Any = list(bars.itertuples())[-1]
        return Features(
            **self._common(ticker, newest, oracle.History(closed), len(closed)),
            id=provisional_feature_id(ticker, self.rules.interval, newest.start_ns, self.partition, place),
            final=False,
            as_of_ns=newest.last_ns,
            last_close=closed.close.iloc[-1] if len(closed) else None,
            indicators=oracle.History(bars).indicators(-1),
            source_offset=place,
            ingested_at_ns=self.log[int(offsets[heard_at])].ingested_at_ns,
        )

    def _final(self, ticker: str, history: oracle.History, place: int, row: Any) -> Features:
        offset = int(self.reference.offsets[row.closed_at])
        return Features(
            **self._common(ticker, row, history, place + 1),
            id=final_feature_id(ticker, self.rules.interval, row.start_ns),
            final=True,
            as_of_ns=row.end_ns,
            last_close=row.close,
            indicators=history.indicators(place),
            source_offset=offset,
            ingested_at_ns=self.log[offset].ingested_at_ns,
        )

    def _common(self, ticker: str, row: Any, history: oracle.History, bar_index: int) -> dict[str, Any]:
        """Give what final and provisional features fill alike: of a bar, after so many closed ones."""
        figures = ("start_ns", "end_ns", "open", "high", "low", "close", "volume", "tick_count")
        return {
            "ticker": ticker,
            "interval": self.rules.interval,
            "bar": BarSoFar(**{name: getattr(row, name) for name in figures}),
            "bar_index": bar_index,
            "current_price": row.close,
            **history.view(bar_index - 1),
            "feature_version": FEATURE_VERSION,
            "source_partition": self.partition,
            "featured_at_ns": 0,
            "partial": row.partial,
            "origin": _ORIGINS[row.origin_rank],
        }

    def _bar(self, ticker: str, bar_index: int, row: Any) -> Bar:
        offset = int(self.reference.offsets[row.closed_at])
        return Bar(
            id=bar_id(ticker, self.rules.interval, row.start_ns, partial=row.partial),
            ticker=ticker,
            interval=self.rules.interval,
            start_ns=row.start_ns,
            end_ns=row.end_ns,
            open=row.open,
            high=row.high,
            low=row.low,
            close=row.close,
            volume=row.volume,
            tick_count=row.tick_count,
            bar_index=bar_index,
            source=row.source,
            source_partition=self.partition,
            source_offset=offset,
            ingested_at_ns=self.log[offset].ingested_at_ns,
            closed_at_ns=0,
            partial=row.partial,
            origin=_ORIGINS[row.origin_rank],
        )
