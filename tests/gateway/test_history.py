"""History over REST: what the recorder wrote, beside what is live."""

import csv
import io
import math
import threading
from typing import Any

import msgspec
import pytest
from pydantic import SecretStr
from sqlalchemy import Table, delete

from gateway.database.engine import open_engine
from gateway.database.history import PREDICTIONS as PREDICTIONS_TABLE
from gateway.database.migrate import migrate
from gateway.history import History, history_of
from gateway.parts import Parts
from gateway.past_bars import PastFeatures
from gateway.recorder.rows import RECORDED
from gateway.recorder.writing import Batch, write
from gateway.routes import history
from schemas.codec import encode
from schemas.events import Bar, BarSoFar, Direction, Outcome, Prediction
from schemas.public import PastBars
from schemas.topics import BARS, OUTCOMES
from tests.gateway.recorder.events import Said, example, spoken
from tests.gateway.samples import DAY_NS, make_parts, prediction
from tests.gateway.web import client_of

_BARS = 60


def parts_with(url: str, said: Said, *live: Prediction, **changes: Any) -> Parts:
    """Give parts whose database holds what was said; `changes` are settings."""
    parts = make_parts(*live, database_url=SecretStr(url), **changes)
    engine = open_engine(parts.settings)
    migrate(engine)
    for topic, table, rows in RECORDED:
        write(
            engine, Batch({table: [row for known, event in said if known is topic for row in rows(encode(event), 0)]})
        )
    engine.dispose()
    return parts


def delete_all(parts: Parts, table: Table) -> None:
    engine = open_engine(parts.settings)
    with engine.begin() as connection:
        connection.execute(delete(table))
    engine.dispose()


async def get(parts: Parts, path: str, status: int = 200, **options: Any) -> Any:
    async with client_of(parts) as client:
        answer = await client.get(path, **options)
    assert answer.status_code == status, answer.text
    return answer.json() if "json" in answer.headers["Content-Type"] else answer.text


async def test_predictions_stand_beside_what_happened(database_url: str) -> None:
    said = spoken(_BARS)
    matured = {event.id for topic, event in said if topic is OUTCOMES and event.bar_index < _BARS - 1}
    parts = parts_with(database_url, [(t, event) for t, event in said if t is not OUTCOMES or event.id in matured])
    shortest = example(Prediction).horizons[0].horizon
    outcome = example(Outcome)
    got = await get(parts, "/api/v1/history/aapl?days=10")
    document = msgspec.convert(got, History)
    assert (document.ticker, document.horizon, document.days, document.complete) == ("AAPL", shortest, 10, True)
    assert len(document.history) == 10
    assert [past.as_of for past in document.history] == sorted((p.as_of for p in document.history), reverse=True)
    assert document.history[0].outcome is None, "it has not matured"
    happened = document.history[1].outcome
    assert happened is not None
    assert happened.log_return == pytest.approx(outcome.actual_log_return)
    assert happened.price == pytest.approx(document.history[1].current_price * math.exp(outcome.actual_log_return))
    assert document.accuracy.matured == 9
    assert document.accuracy.no_change_error == pytest.approx(abs(outcome.actual_log_return))


async def test_accuracy_is_of_what_counts_beside_who_says_the_usual(database_url: str) -> None:
    said = spoken(8)
    outcomes = [event for topic, event in said if topic is OUTCOMES and event.ticker == "IBM"]
    for number, outcome in enumerate(outcomes):
        rises = number % 2 == 0
        changed = msgspec.structs.replace(
            outcome,
            actual_log_return=0.01 if rises else -0.03,
            usual_direction=Direction.BULLISH,
            hit=None if number == 0 else number % 4 == 1,
            scored=number != 7,
            inside_95=number != 3,
        )
        said[said.index((OUTCOMES, outcome))] = (OUTCOMES, changed)
    accuracy = msgspec.convert(await get(parts_with(database_url, said), "/history/IBM?days=30"), History).accuracy
    assert (accuracy.matured, accuracy.counted, accuracy.directions) == (8, 7, 6)
    assert accuracy.hit_rate == pytest.approx(2 / 6)
    assert accuracy.baseline_hit_rate == pytest.approx(3 / 6)
    assert accuracy.no_change_error == pytest.approx((4 * 0.01 + 3 * 0.03) / 7)
    assert accuracy.coverage_95 == pytest.approx(6 / 7)


async def test_accuracy_is_of_the_whole_span_whatever_of_it_is_in_the_rows(database_url: str) -> None:
    said = spoken(_BARS)
    parts = parts_with(database_url, said, history_cache_seconds=0)
    whole = msgspec.convert(await get(parts, "/history/IBM?days=50"), History)
    assert (len(whole.history), whole.accuracy.matured, whole.complete) == (49, 49, True)
    cut = msgspec.convert(await get(parts, "/history/IBM?days=50&limit=3"), History)
    assert (len(cut.history), cut.accuracy, cut.complete) == (3, whole.accuracy, False)
    delete_all(parts, PREDICTIONS_TABLE)
    deleted = msgspec.convert(await get(parts, "/history/IBM?days=50"), History)
    assert (deleted.history, deleted.accuracy) == ([], whole.accuracy)


async def test_days_count_from_the_newest_event_of_whatever_kind(database_url: str) -> None:
    said = [(topic, event) for topic, event in spoken(_BARS) if topic is BARS or event.bar_index < 20]
    parts = parts_with(database_url, said, prediction("AAPL"))
    assert (await get(parts, "/history/AAPL?days=40"))["history"] == []
    assert len((await get(parts, "/history/AAPL?days=50"))["history"]) == 10


async def test_history_comes_as_csv_to_who_asks_for_it(database_url: str) -> None:
    parts = parts_with(database_url, spoken(5))
    text = await get(parts, "/history/MSFT", headers={"Accept": "text/csv"})
    lines = list(csv.DictReader(io.StringIO(text)))
    document = msgspec.convert(await get(parts, "/history/MSFT"), History)
    assert [line["id"] for line in lines] == [past.id for past in document.history]
    assert [float(line["price_target"]) for line in lines] == [past.price_target for past in document.history]
    assert all(line["outcome_log_return"] for line in lines)


@pytest.mark.parametrize("accept", ["text/csv", "application/json"])
async def test_what_is_said_of_many_rows_is_made_beside_the_event_loop(
    database_url: str, monkeypatch: pytest.MonkeyPatch, accept: str
) -> None:
    threads: list[int] = []

    def noted(*arguments: Any) -> History:
        threads.append(threading.get_ident())
        return history_of(*arguments)

    monkeypatch.setattr(history, "history_of", noted)
    await get(parts_with(database_url, spoken(5)), "/history/MSFT", headers={"Accept": accept})
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()


async def test_what_does_not_fit_is_said_and_the_newest_is_kept(database_url: str) -> None:
    parts = parts_with(database_url, spoken(_BARS))
    document = msgspec.convert(await get(parts, "/history/AAPL?days=1000&limit=7"), History)
    assert (len(document.history), document.complete) == (7, False)
    bars = msgspec.convert(await get(parts, "/bars/AAPL?limit=7"), PastBars)
    assert ([bar.bar_index for bar in bars.bars], bars.complete) == (list(range(_BARS - 7, _BARS)), False)
    features = msgspec.convert(await get(parts, "/features/AAPL"), PastFeatures)
    assert [each.bar_index for each in features.features] == [_BARS - 1]
    assert features.features[0].indicators


async def test_bars_have_a_span_and_the_one_that_forms(database_url: str) -> None:
    first_ns = example(Bar).start_ns
    forming = BarSoFar(
        start_ns=first_ns, end_ns=first_ns + DAY_NS, open=1.0, high=2.0, low=1.0, close=2.0, volume=3.0, tick_count=4
    )
    live = prediction("AAPL", offset=9, provisional=True, bar=forming)
    parts = parts_with(database_url, spoken(_BARS), live)
    all_bars = msgspec.convert(await get(parts, "/bars/AAPL"), PastBars)
    assert all_bars.forming is not None
    assert all_bars.forming.tick_count == 4
    start, end = all_bars.bars[10].start, all_bars.bars[20].start
    some = msgspec.convert(await get(parts, "/bars/AAPL", params={"start": start, "end": end}), PastBars)
    assert [bar.start for bar in some.bars] == [bar.start for bar in all_bars.bars[10:20]]


async def test_bars_of_another_interval_are_another_history(database_url: str) -> None:
    parts = parts_with(database_url, spoken(3), prediction("AAPL"))
    hourly = make_parts(prediction("AAPL"), database_url=parts.settings.database_url, interval="1h")
    for path, rows in (("history", "history"), ("bars", "bars"), ("features", "features")):
        assert (await get(parts, f"/{path}/AAPL"))[rows]
        assert (await get(hourly, f"/{path}/AAPL"))[rows] == []


async def test_a_ticker_of_which_nothing_is_recorded_is_empty_and_an_unknown_one_is_not_found(
    database_url: str,
) -> None:
    parts = parts_with(database_url, [], prediction("AAPL"))
    for path in ("history", "bars", "features"):
        assert (await get(parts, f"/{path}/AAPL"))["ticker"] == "AAPL"
        assert (await get(parts, f"/{path}/AAPX", 404))["near_matches"] == ["AAPL"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/history/AAPL?days=0", "days"),
        ("/history/AAPL?horizon=2", "horizon"),
        ("/bars/AAPL?start=yesterday", "start"),
        ("/bars/AAPL?start=0001-01-01T00:00:00Z", "start"),
        ("/features/AAPL?end=9999-12-31T00:00:00Z", "end"),
        ("/features/AAPL?limit=100000", "limit"),
        ("/bars/%20", "ticker"),
    ],
)
async def test_a_wrong_value_is_named(path: str, field: str) -> None:
    problem = await get(make_parts(prediction("AAPL")), path, 400)
    named = problem["field"] if "field" in problem else problem["errors"][0]["field"]
    assert named == field


async def test_without_a_database_history_says_so_and_what_is_live_goes_on() -> None:
    url = "postgresql://nobody:s3cret@127.0.0.1:1/nothing"
    parts = make_parts(prediction("AAPL"), database_url=SecretStr(url), database_answer_seconds=1.0)
    problem = await get(parts, "/history/AAPL", 503)
    assert problem["type"].endswith("history-unavailable")
    assert "s3cret" not in str(problem)
    assert (await get(parts, "/predict/AAPL"))["ticker"] == "AAPL"
