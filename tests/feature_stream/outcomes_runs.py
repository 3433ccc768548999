"""The service that settles predictions as a process, what it is fed, and what it must say."""

import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from feature_stream.ledger import SettleRecord, TickerLedger
from feature_stream.table import is_partition_key, offset_of, snapshot_of
from schemas.events import Bar, Prediction
from schemas.partitioning import partition_of
from schemas.topics import BARS, OPEN_PREDICTIONS_CHANGELOG, OUTCOMES, PREDICTIONS
from tests.brokers import BrokerUnderTest, Record
from tests.contents import contents
from tests.feature_stream.settling import assert_as_expected, bar, prediction, reference
from tests.feature_stream.stages import all_ids
from tests.processes import Processes, ServiceProcess

PARTITIONS = 4
TICKERS = tuple(f"T{number:02d}" for number in range(12))
Event = TypeVar("Event", Bar, Prediction)


def start_outcomes(
    processes: Processes, broker: BrokerUnderTest, module: str = "feature_stream.outcomes", *words: str, **settings: Any
) -> ServiceProcess:
    """Start the service, or one of its faulty kin."""
    return processes.start(module, *words, environment=broker.environment(**{"interval": "1m", **settings}))


def market(rng: random.Random, minutes: range) -> Iterator[tuple[Bar, Prediction]]:
    """Yield the bars of a made-up market and the prediction from each, in the order of their frames."""
    for minute in minutes:
        for number, ticker in enumerate(TICKERS):
            place: dict[str, Any] = {
                "source_offset": minute * 100 + number,
                "source_partition": partition_of(ticker, PARTITIONS),
            }
            close = round(100 * (1 + rng.gauss(0, 0.01)), 4)
            made = prediction(minute, ticker, current_price=close, in_sample=rng.random() < 0.1, **place)
            yield bar(minute, ticker, close=close, partial=rng.random() < 0.02, **place), made


def feed(broker: BrokerUnderTest, events: Iterable[Bar] | Iterable[Prediction]) -> None:
    """Write events to their topic, in order."""
    homes: dict[tuple[type, int], list[Any]] = {}
    for event in events:
        homes.setdefault((type(event), partition_of(event.ticker, PARTITIONS)), []).append(event)
    for (kind, home), theirs in homes.items():
        broker.produce(BARS if kind is Bar else PREDICTIONS, *theirs, key=None, partition=home)


def feed_market(broker: BrokerUnderTest, pairs: Iterable[tuple[Bar, Prediction]]) -> None:
    """Write bars and predictions."""
    listed = list(pairs)
    feed(broker, [each for each, _ in listed])
    feed(broker, [each for _, each in listed])


def events_of(records: Iterable[Record]) -> list[Any]:
    """Give events in the order of their logs."""
    return [record.event() for record in sorted(records, key=lambda record: (record.partition, record.offset))]


def expected_outcomes(broker: BrokerUnderTest) -> dict[str, Any]:
    """Give what both topics call for, by id."""
    return reference(events_of(broker.read(BARS)), events_of(broker.read(PREDICTIONS)))


def assert_settles_what_the_logs_call_for(broker: BrokerUnderTest) -> list[Record]:
    """Wait for all outcomes that both topics call for, check every one that is there, and give the records."""
    expected = expected_outcomes(broker)
    assert expected
    records = broker.read(OUTCOMES, all_ids(expected))
    assert_as_expected(contents(records), expected)
    return records


def wait_until_kept(broker: BrokerUnderTest) -> list[Record]:
    """Wait until all of both topics is absorbed and kept, and give the changelog."""
    bars, predictions = broker.ends(BARS), broker.ends(PREDICTIONS)
    wanted = {number: (end, predictions[number]) for number, end in bars.items() if end + predictions[number]}
    places: dict[int, tuple[int, int]] = {}
    seen = 0

    def kept(changelog: list[Record]) -> bool:
        nonlocal seen
        for record in changelog[seen:]:
            if is_partition_key(record.key or b""):
                state = SettleRecord.restore(snapshot_of(record.value or b""))
                places[state.partition] = (state.bars_offset + 1, state.predictions_offset + 1)
        seen = len(changelog)
        return places == wanted

    return broker.read(OPEN_PREDICTIONS_CHANGELOG, kept)


def both_logs_are_kept_after(ends: Mapping[int, int]) -> Callable[[list[Record]], bool]:
    """Tell when each partition's record, written after an end of the changelog, tells of both logs."""
    kept: set[int] = set()
    seen = 0

    def enough(changelog: list[Record]) -> bool:
        nonlocal seen
        for record in changelog[seen:]:
            if is_partition_key(record.key or b"") and record.offset >= ends[record.partition]:
                state = SettleRecord.restore(snapshot_of(record.value or b""))
                if min(state.bars_offset, state.predictions_offset) > 0:
                    kept.add(state.partition)
        seen = len(changelog)
        return kept == ends.keys()

    return enough


def assert_no_record_counts_on_ledgers_that_are_not_there(changelog: Iterable[Record]) -> None:
    """Check that each partition's record came after every ledger that it counts on."""
    newest: dict[str, tuple[int, int]] = {}
    for record in sorted(changelog, key=lambda record: (record.partition, record.offset)):
        key, value = record.key or b"", record.value or b""
        if is_partition_key(key):
            kept = SettleRecord.restore(snapshot_of(value)).kept
            for ticker, (bars, predictions) in kept.items():
                known = newest.get(ticker, (-1, -1))
                assert known[0] >= bars, f"{ticker} at {record.partition}/{record.offset}"
                assert known[1] >= predictions, f"{ticker} at {record.partition}/{record.offset}"
        else:
            ledger = TickerLedger.restore(snapshot_of(value))
            assert offset_of(value) == ledger.bars_offset + ledger.predictions_offset
            known = newest.get(ledger.ticker, (-1, -1))
            newest[ledger.ticker] = (
                max(known[0], ledger.bars_offset),
                max(known[1], ledger.predictions_offset),
            )


def loaded(service: ServiceProcess) -> list[tuple[int, int, int]]:
    """Give what a service says of its recoveries: partition, and the offsets that its record stands at."""
    said = re.findall(
        r"partition (\d+): \d+ tickers, bars offset (-?\d+), predictions offset (-?\d+)", service.output()
    )
    return [(int(partition), int(bars), int(predictions)) for partition, bars, predictions in said]
