"""`tickcast sources`: what is asked on the command line happens to the ingestor that plays, and outlives it."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from schemas.errors import EXIT_STOP_AND_SAY
from schemas.events import ServiceStatus
from schemas.topics import SERVICE_STATUS, SOURCE_COMMANDS, TICKS
from tests.brokers import BrokerUnderTest, Record
from tests.ingestor.providers.fake import KEY, SECRET
from tests.ingestor.providers.in_thread import AlpacaInThread
from tests.ingestor.test_roster import command
from tests.processes import Processes, ServiceProcess

pytestmark = pytest.mark.integration


@pytest.fixture
def start(
    kafka: BrokerUnderTest, processes: Processes, alpaca: AlpacaInThread, tmp_path: Path
) -> Callable[..., ServiceProcess]:
    def start_one(module: str, *words: str, **settings: Any) -> ServiceProcess:
        live = alpaca.settings(tmp_path) | {"tickers": "AAPL"} | settings
        return processes.start(module, *words, environment=kafka.environment(**live))

    return start_one


@pytest.fixture
def ask(start: Callable[..., ServiceProcess]) -> Callable[..., str]:
    def ask_once(*words: str) -> str:
        asking = start("ingestor.commanding", *words)
        assert asking.wait() == 0, asking.output()
        return asking.output()

    return ask_once


def _reported(kafka: BrokerUnderTest, told: Callable[[ServiceStatus], bool]) -> None:
    def enough(records: list[Record]) -> bool:
        statuses = [record.event() for record in records if record.value is not None]
        return any(told(status) for status in statuses if status.service == "ingestor")

    kafka.read(SERVICE_STATUS, enough)


def _answered(command_id: str, words: str, status: ServiceStatus) -> bool:
    return any((each.id, each.state, each.message) == (command_id, "done", words) for each in status.commands)


def _has_ticks(status: ServiceStatus, tickers: list[str]) -> bool:
    return any(source.tickers == tickers and source.last_tick_ns is not None for source in status.sources)


def _prices(records: list[Record]) -> list[float]:
    return sorted(price for record in records for price in record.event().prices)


def _have(wanted: set[float], records: list[Record]) -> bool:
    return wanted <= set(_prices(records))


def test_tickers_are_changed_while_it_plays_and_stay_so_after_a_kill(
    kafka: BrokerUnderTest, start: Callable[..., ServiceProcess], ask: Callable[..., str], alpaca: AlpacaInThread
) -> None:
    service = start("ingestor")
    _reported(kafka, lambda status: bool(status.sources) and status.state == "ready")
    assert "done: plays AAPL, NVDA" in ask("add", "nvda")
    alpaca.do(alpaca.fake.send(("NVDA", time.time_ns(), 301.0, 1.0, 1)))
    kafka.read(TICKS, partial(_have, {301.0}))
    kafka.produce(SOURCE_COMMANDS, command("pause", "AAPL", id="pause"), key="live")
    _reported(kafka, partial(_answered, "pause", "plays NVDA; paused: AAPL"))
    service.kill()
    kafka.produce(SOURCE_COMMANDS, command("add", "MSFT", id="while it was away"), key="live")
    service = start("ingestor")
    _reported(kafka, partial(_answered, "while it was away", "plays MSFT, NVDA; paused: AAPL"))
    again = kafka.read(SOURCE_COMMANDS, 3)[0].event()
    kafka.produce(SOURCE_COMMANDS, again, command("remove", "NVDA", id="remove"), again, key="live")
    _reported(kafka, partial(_answered, "remove", "plays MSFT; paused: AAPL"))
    now = time.time_ns()
    alpaca.do(
        alpaca.fake.send(("NVDA", now, 302.0, 1.0, 2), ("AAPL", now, 101.0, 1.0, 3), ("MSFT", now, 201.0, 1.0, 4))
    )
    assert _prices(kafka.read(TICKS, partial(_have, {201.0, 301.0}))) == [201.0, 301.0]
    _reported(kafka, lambda status: _has_ticks(status, ["AAPL", "MSFT"]))
    shown = ask()
    assert "AAPL (paused), MSFT" in shown
    assert ["alpaca", "yes", "yes"] in [line.split()[:3] for line in shown.splitlines()]
    assert KEY not in shown + service.output()
    assert SECRET not in shown + service.output()


def test_what_cannot_be_changed_is_said_before_it_is_asked_and_refused_where_it_is_asked_all_the_same(
    kafka: BrokerUnderTest, start: Callable[..., ServiceProcess]
) -> None:
    service = start("ingestor", source="replay", interval="1d", tickers="AAPL")
    _reported(kafka, lambda status: bool(status.sources))
    asking = start("ingestor.commanding", "remove", "AAPL")
    assert asking.wait() == EXIT_STOP_AND_SAY
    assert "the tickers of replay cannot be changed" in asking.output()
    assert kafka.read(SOURCE_COMMANDS) == []
    kafka.produce(SOURCE_COMMANDS, structs.replace(command("remove", "AAPL"), source="replay"), key="replay")
    _reported(kafka, lambda status: [each.state for each in status.commands] == ["refused"])
    assert "remove AAPL, asked by cli/ann: refused: replay" in service.output()
