"""Rows are written whole or not at all, once, with the place where reading goes on; and what is old goes."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError

from gateway.database.engine import open_engine
from gateway.database.history import BARS as BARS_TABLE
from gateway.database.history import PREDICTIONS as PREDICTIONS_TABLE
from gateway.database.migrate import migrate
from gateway.database.settings import DatabaseSettings
from gateway.recorder.alone import alone
from gateway.recorder.retention import delete_old
from gateway.recorder.rows import RECORDED, feature_rows, prediction_rows
from gateway.recorder.writing import Batch, Place, Position, read_positions, write
from schemas.codec import UndecodableError, encode
from schemas.errors import StopAndSayError
from schemas.events import Features, Prediction
from tests.gateway.recorder.events import example, recorded, rows_of, spoken

_DAY_NS = 86_400 * 10**9
PLACE = Place("bars", 2)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_engine(DatabaseSettings(_env_file=None, database_url=SecretStr(database_url)))
    migrate(engine)
    yield engine
    engine.dispose()


def batch_of(bars: int, now_ns: int, next_offset: int = 1) -> Batch:
    said = spoken(bars)
    rows = {
        table: [row for known, event in said if known is topic for row in rows(encode(event), now_ns)]
        for topic, table, rows in RECORDED
    }
    return Batch(rows, {PLACE: Position("epoch", next_offset)})


def test_what_is_written_twice_is_there_once_as_it_was_first(engine: Engine) -> None:
    first, later = batch_of(40, now_ns=1), batch_of(60, now_ns=2, next_offset=9)
    for row in later.rows[BARS_TABLE]:
        row["close"] = row["close"] if row["bar_index"] >= 40 else -1.0
    write(engine, first)
    write(engine, later)
    assert recorded(engine) == rows_of(spoken(60))
    assert read_positions(engine) == {PLACE: Position("epoch", 9)}


def test_a_batch_with_a_row_that_cannot_be_is_not_there_at_all(engine: Engine) -> None:
    bad = batch_of(5, now_ns=1)
    bad.rows[PREDICTIONS_TABLE][-1]["confidence"] = None
    with pytest.raises(DBAPIError):
        write(engine, bad)
    assert not any(recorded(engine).values())
    assert read_positions(engine) == {}


def test_old_predictions_and_indicators_go_in_slices_and_bars_and_outcomes_stay(engine: Engine) -> None:
    old, new = batch_of(20, now_ns=0), batch_of(30, now_ns=80 * _DAY_NS)
    write(engine, old)
    write(engine, new)
    before = recorded(engine)
    assert delete_old(engine, 90, 89 * _DAY_NS) == 0
    assert delete_old(engine, 0, 1_000 * _DAY_NS) == 0
    slices = 0
    while delete_old(engine, 90, 91 * _DAY_NS, slice_rows=7):
        slices += 1
    assert slices >= 1
    after = recorded(engine)
    assert {name: len(rows) for name, rows in after.items()} == {
        "bars": len(before["bars"]),
        "outcomes": len(before["outcomes"]),
        "predictions": 30 * len(example(Prediction).horizons),
        "features": 30,
    }


def test_retention_takes_its_lock_before_it_looks(tmp_path: Path) -> None:
    engine = open_engine(DatabaseSettings(_env_file=None, database_url=SecretStr(f"sqlite:///{tmp_path}/history.db")))
    migrate(engine)
    write(engine, batch_of(20, now_ns=0))
    another = sqlite3.connect(f"{tmp_path}/history.db", timeout=0)

    @event.listens_for(engine, "after_cursor_execute")
    def write_in_between(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("SELECT"):
            with contextlib.suppress(sqlite3.OperationalError), another:
                another.execute("INSERT INTO offsets VALUES ('bars', 0, 'e', 1) ON CONFLICT DO NOTHING")

    assert delete_old(engine, 90, 91 * _DAY_NS) > 0
    another.close()
    engine.dispose()


def test_a_database_has_one_recorder(engine: Engine) -> None:
    with alone(engine) as check:
        check()
        with pytest.raises(StopAndSayError, match="another recorder"), alone(engine):
            pass
    with alone(engine):
        pass


def test_rows_hold_what_the_prediction_says() -> None:
    prediction = example(Prediction)
    rows = prediction_rows(encode(prediction), 7)
    assert [row["horizon"] for row in rows] == [said.horizon for said in prediction.horizons]
    said, row = prediction.horizons[0], rows[0]
    assert said.interval_95 is not None
    assert (row["low_95"], row["high_95"]) == (said.interval_95.low, said.interval_95.high)
    assert (row["log_return"], row["model_set"], row["recorded_ns"]) == (said.log_return, prediction.model_set, 7)


def test_only_final_features_are_rows_and_nonsense_is_none() -> None:
    features = example(Features)
    assert len(feature_rows(encode(features), 0)) == int(features.final)
    for rows in (how for _, _, how in RECORDED):
        with pytest.raises(UndecodableError):
            rows(b"{}", 0)
