"""Bars up to now: of the source before the start, and of the stream since."""

import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from ingestor.sources.bars import BarColumns
from predictor.training.live_bars import bars_until_now, joined, read_live_bars
from predictor.training.settings import TrainingSettings
from schemas.codec import encode
from schemas.events import Bar, Origin
from schemas.identity import bar_id
from schemas.times import to_rfc3339
from schemas.topics import BARS
from tests.brokers import BrokerUnderTest
from tests.conftest import MakeBroker
from tests.predictor_models.examples import DAY_NS, random_walk
from tests.predictor_models.test_history import write_bars

WHOLE = {"AAA": random_walk(1, 60, 10), "BBB": random_walk(2, 50, 15)}
START_DAY = 40


def played(ticker: str, columns: BarColumns, at: int, **changes: Any) -> Bar:
    """Give the bar that the stage closes after so many of a ticker's."""
    start_ns = int(columns.start_ns[at])
    named: dict[str, Any] = {
        "id": bar_id(ticker, "1d", start_ns),
        "ticker": ticker,
        "interval": "1d",
        "start_ns": start_ns,
        "end_ns": start_ns + DAY_NS,
        **{name: float(getattr(columns, name)[at]) for name in ("open", "high", "low", "close", "volume")},
        "tick_count": 4,
        "bar_index": at + 1,
        "source": "s",
        "source_partition": 0,
        "source_offset": at,
        "ingested_at_ns": 0,
        "closed_at_ns": 0,
    }
    return Bar(**(named | changes))


def play(broker: BrokerUnderTest, bars: Mapping[str, BarColumns], first_day: int, **changes: Any) -> None:
    for ticker, columns in bars.items():
        of_ticker = [
            played(ticker, columns, at, **changes)
            for at, start_ns in enumerate(columns.start_ns)
            if start_ns >= first_day * DAY_NS
        ]
        broker.produce(BARS, *of_ticker, key=ticker)


def same(one: Mapping[str, BarColumns], other: Mapping[str, BarColumns]) -> bool:
    return list(one) == list(other) and all(
        np.array_equal(ours, theirs)
        for ticker in one
        for ours, theirs in zip(vars(one[ticker]).values(), vars(other[ticker]).values(), strict=True)
    )


def settings_of(broker: BrokerUnderTest, folder: Path, **changes: Any) -> TrainingSettings:
    path = write_bars(folder / "bars.csv", WHOLE)
    given = {"source": f"file:{path}", "start": to_rfc3339(START_DAY * DAY_NS)} | changes
    return broker.settings(TrainingSettings, **given)


def test_the_past_and_what_was_played_since_are_the_whole(broker: BrokerUnderTest, tmp_path: Path) -> None:
    """A warm-up is played from day 30 on: it is the past, and is not taken twice."""
    play(broker, {t: c.between(None, START_DAY * DAY_NS) for t, c in WHOLE.items()}, 30, origin=Origin.WARM_UP)
    play(broker, WHOLE, START_DAY)
    assert same(bars_until_now(settings_of(broker, tmp_path)), WHOLE)


def test_what_lies_ahead_in_a_file_is_not_known_before_it_was_played(kafka: BrokerUnderTest, tmp_path: Path) -> None:
    until = {ticker: columns.between(None, 50 * DAY_NS) for ticker, columns in WHOLE.items()}
    play(kafka, until, START_DAY)
    assert same(bars_until_now(settings_of(kafka, tmp_path)), until)
    from_its_first_row = settings_of(kafka, tmp_path, start="")
    since = {ticker: columns.between(START_DAY * DAY_NS, None) for ticker, columns in until.items()}
    assert same(bars_until_now(from_its_first_row), since), "all of the file lies ahead"


def test_bars_that_teach_nothing_are_left_out(make_kafka: MakeBroker) -> None:
    broker = make_kafka(partitions=1)
    columns = WHOLE["AAA"]
    strange: list[dict[str, Any]] = [
        {"partial": True},
        {"origin": Origin.REPEAT},
        {"origin": Origin.SIMULATED},
        {"interval": "1h"},
    ]
    for at, changes in enumerate(strange):
        broker.produce(BARS, played("AAA", columns, at, **changes), key="AAA")
    broker.produce(BARS, b"{garbage", None, key="AAA")
    good = played("AAA", columns, 10)
    broker.produce(BARS, good, played("AAA", columns, 10, close=1e9, high=1e9), key="AAA")
    broker.produce(BARS, played("BBB", WHOLE["BBB"], 0), key="BBB")
    found = read_live_bars(broker.settings(TrainingSettings, tickers="aaa"))
    assert list(found) == ["AAA"]
    assert (found["AAA"].start_ns.tolist(), found["AAA"].close.tolist()) == ([good.start_ns], [good.close])
    simulated = read_live_bars(broker.settings(TrainingSettings, source="simulated", tickers="AAA"))
    assert simulated["AAA"].start_ns.tolist() == [int(columns.start_ns[at]) for at in (2, 10)]
    assert same(bars_until_now(broker.settings(TrainingSettings, source="simulated", tickers="AAA")), simulated)


def test_a_bar_that_was_played_takes_no_more_memory_than_its_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 10_000
    bar = played("AAA", WHOLE["AAA"], 0)

    def read(_settings: object, _topic: object, take: Callable[[Any], None]) -> None:
        for number in range(count):
            record = encode(structs.replace(bar, start_ns=number * DAY_NS))
            take(SimpleNamespace(value=lambda record=record: record))

    monkeypatch.setattr("predictor.training.live_bars.read_to_end", read)
    tracemalloc.start()
    try:
        found = read_live_bars(TrainingSettings(_env_file=None))
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(found["AAA"]) == count
    assert peak_bytes < 220 * count, "157 in arrays, with their copy as columns; 369 in tuples"


@pytest.mark.parametrize("first_day", [20, 39, 40, 45])
def test_no_bar_stands_twice_and_none_out_of_order(first_day: int) -> None:
    past = {ticker: columns.between(None, START_DAY * DAY_NS) for ticker, columns in WHOLE.items()}
    live = {"AAA": WHOLE["AAA"].between(first_day * DAY_NS, None), "CCC": random_walk(3, 5, 60)}
    both = joined(past | {"DDD": random_walk(4, 0)}, live, "1d")
    assert list(both) == ["AAA", "BBB", "CCC"]
    assert (np.diff(both["AAA"].start_ns) > 0).all()
    assert len(both["AAA"]) == 60 - max(0, first_day - START_DAY)
    assert same({"BBB": both["BBB"], "CCC": both["CCC"]}, {"BBB": past["BBB"], "CCC": live["CCC"]})
