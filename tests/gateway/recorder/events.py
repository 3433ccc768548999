"""What a stream says of a few tickers and many bars, and the rows that come of it."""

from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct, structs
from sqlalchemy import Engine, Table, select

from gateway.recorder.rows import RECORDED, Row
from schemas.codec import decoder, encode
from schemas.events import Bar, Features, Outcome, Prediction
from schemas.topics import BARS, FEATURES, OUTCOMES, PREDICTIONS, Topic

_EXAMPLES = Path(__file__).parents[3] / "schemas" / "examples"
_DAY_NS = 86_400 * 10**9
_TICKERS = ("AAPL", "MSFT", "IBM")

Event = TypeVar("Event", bound=Struct)


def example(kind: type[Event]) -> Event:
    """Give the example of the contract."""
    return decoder(kind)((_EXAMPLES / f"{kind.__name__}.json").read_bytes())


Said = list[tuple[Topic, Any]]


def spoken(bars: int) -> Said:
    """Give the events of so many bars of each ticker, a provisional feature event beside each final one."""
    bar, features, prediction, outcome = example(Bar), example(Features), example(Prediction), example(Outcome)
    said: Said = []
    for number in range(bars):
        for ticker in _TICKERS:
            start_ns, name = bar.start_ns + number * _DAY_NS, f"{ticker}/{number}"
            shared = {"ticker": ticker, "id": name, "bar_index": number}
            as_of = {"as_of_ns": start_ns + _DAY_NS}
            matured = {"start_ns": start_ns, "matured_ns": start_ns + 2 * _DAY_NS}
            closed = structs.replace(bar, **shared, start_ns=start_ns, end_ns=start_ns + _DAY_NS)
            final = structs.replace(features, **shared, **as_of, final=True)
            said += [
                (BARS, closed),
                (FEATURES, structs.replace(final, id=f"{name}/provisional", final=False)),
                (FEATURES, final),
                (PREDICTIONS, structs.replace(prediction, **shared, **as_of, provisional=False)),
                (OUTCOMES, structs.replace(outcome, **shared, **as_of, **matured)),
            ]
    return said


def rows_of(said: Said) -> dict[str, set[tuple[Any, ...]]]:
    """Give the rows that must be there, by table, but for when they were written."""
    expected: dict[str, set[tuple[Any, ...]]] = {}
    for topic, table, rows in RECORDED:
        found = [row for known, event in said if known is topic for row in rows(encode(event), 0)]
        expected[table.name] = {_timeless(table, row) for row in found}
    return expected


def recorded(engine: Engine) -> dict[str, set[tuple[Any, ...]]]:
    """Give the rows that are there likewise; each once."""
    found = {}
    with engine.connect() as connection:
        for _, table, _ in RECORDED:
            rows = [_timeless(table, dict(row._mapping)) for row in connection.execute(select(table))]
            assert len(rows) == len(set(rows))
            found[table.name] = set(rows)
    return found


def _timeless(table: Table, row: Row) -> tuple[Any, ...]:
    values = ((name, row[name]) for name in sorted(column.name for column in table.columns) if name != "recorded_ns")
    return tuple((name, str(value) if isinstance(value, dict) else value) for name, value in values)
