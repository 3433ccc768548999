"""A database as the recorder would have left it, for gateways that are measured."""

import time
from pathlib import Path

from pydantic import SecretStr

from benchmarks.gateway.recording import replay
from gateway.database.engine import open_engine
from gateway.database.migrate import migrate
from gateway.database.settings import DatabaseSettings
from gateway.recorder.rows import RECORDED
from gateway.recorder.writing import Batch, write
from schemas.codec import encode

_ROWS_AT_ONCE = 5_000


def recorded(folder: Path, tickers: int, bars: int) -> str:
    """Fill a SQLite file with so many bars of each ticker and all that came of them, and give its URL."""
    url = f"sqlite:///{folder / 'recorded.db'}"
    engine = open_engine(DatabaseSettings(_env_file=None, database_url=SecretStr(url)))
    migrate(engine)
    how = {topic: (table, rows) for topic, table, rows in RECORDED}
    batch, count, now_ns = Batch(), 0, time.time_ns()
    for topic, _, event in replay(tickers, bars, 0):
        table, rows_of = how[topic]
        rows = rows_of(encode(event), now_ns)
        batch.rows.setdefault(table, []).extend(rows)
        count += len(rows)
        if count >= _ROWS_AT_ONCE:
            write(engine, batch)
            batch, count = Batch(), 0
    write(engine, batch)
    engine.dispose()
    return url
