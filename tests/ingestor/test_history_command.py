"""`tickcast history` against a local Alpaca."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from ingestor.history.__main__ import main
from ingestor.sources.bar_play import PlayedBar
from ingestor.sources.file_description import describe_file
from ingestor.sources.file_options import FileOptions
from ingestor.sources.file_source import FileSource
from ingestor.sources.history import load_history
from ingestor.sources.moments import Moment
from ingestor.sources.pace import Pace
from schemas.errors import EXIT_STOP_AND_SAY
from schemas.times import from_rfc3339, interval_ns
from tests.ingestor.fold import fold, ticks_of
from tests.ingestor.live_play import MovedClock
from tests.ingestor.providers.fake import SECRET
from tests.ingestor.providers.in_thread import AlpacaInThread

_DAY_NS, _MINUTE_NS = interval_ns("1d"), interval_ns("1m")
_NOW_NS = from_rfc3339("2026-11-10T15:00:10Z")
_FILE = Path("var/history/alpaca-1d.parquet")


@pytest.fixture
def alpaca(alpaca: AlpacaInThread, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AlpacaInThread:
    alpaca.be_asked_for_the_past(monkeypatch, tmp_path)
    monkeypatch.setattr("schemas.service.configure_logs", lambda *_: None)  # it would outlive the test
    for ticker, base in (("AAPL", 100.0), ("MSFT", 200.0)):
        alpaca.fake.history[ticker] = {
            start_ns: _bar(ticker, base + day)
            for day in range(30)
            if (start_ns := from_rfc3339("2026-10-12") + day * _DAY_NS) % (7 * _DAY_NS)
            not in (2 * _DAY_NS, 3 * _DAY_NS)
        }
    return alpaca


def _bar(ticker: str, price: float) -> PlayedBar:
    return PlayedBar(ticker, price, price + 2, price - 2, price + 1, 9.0)


Called = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(alpaca: AlpacaInThread, capsys: pytest.CaptureFixture[str]) -> Called:
    clock = MovedClock(_NOW_NS)

    def one(*words: str, hours_later: float = 0) -> tuple[int, str, str]:
        clock.jump(hours_later * 3_600)
        with pytest.raises(SystemExit) as ended:
            main([*words, "--source", "alpaca"], clock)
        said = capsys.readouterr()
        assert SECRET not in said.out + said.err
        return int(str(ended.value.code)), said.out, said.err

    return one


def test_what_is_fetched_is_played_and_loaded_as_it_stands_at_the_provider(
    alpaca: AlpacaInThread, call: Called
) -> None:
    del alpaca.fake.history["MSFT"][from_rfc3339("2026-10-21")]
    del alpaca.fake.history["MSFT"][from_rfc3339("2026-10-23")]
    del alpaca.fake.history["MSFT"][from_rfc3339("2026-10-26")]
    code, out, err = call("AAPL", "MSFT", "--from", "2026-10-13")
    assert code == 0
    aapl, msft, command = out.splitlines()
    assert aapl == "AAPL: 20 bars, 2026-10-13T00:00:00Z to 2026-11-09T00:00:00Z; every session has bars"
    assert msft.endswith("; 3 sessions lack bars: 2026-10-21, 2026-10-23 to 2026-10-26")
    assert command == f"play it: tickcast run --fresh --source file:{_FILE} --start 2026-11-03"
    assert err.splitlines() == ["1 of 2: AAPL", "2 of 2: MSFT"]
    first_ns, end_ns = from_rfc3339("2026-10-13"), from_rfc3339("2026-11-10")
    wanted = {
        ticker: {start_ns: bar for start_ns, bar in bars.items() if first_ns <= start_ns < end_ns}
        for ticker, bars in alpaca.fake.history.items()
    }
    for ticker, columns in load_history(f"file:{_FILE}", "1d").items():
        rows = zip(columns.open, columns.high, columns.low, columns.close, columns.volume, strict=True)
        bars = dict(zip(columns.start_ns.tolist(), (PlayedBar(ticker, *map(float, row)) for row in rows), strict=True))
        assert bars == wanted[ticker]
    assert describe_file(str(_FILE)).backwards == 0
    source = FileSource(FileOptions(path=str(_FILE), interval="1d"), Pace(0))
    played = fold(ticks_of(asyncio.run(_all_of(source))), _DAY_NS)
    closes = {ticker: {start_ns: bar.close for start_ns, bar in bars.items()} for ticker, bars in played.items()}
    assert closes == {
        ticker: {start_ns: bar.close for start_ns, bar in bars.items()} for ticker, bars in wanted.items()
    }


async def _all_of(source: FileSource) -> list[Moment]:
    return [moment async for moment in source.ticks(None, {})]


def test_after_a_break_only_what_is_missing_is_asked_for(alpaca: AlpacaInThread, call: Called) -> None:
    alpaca.fake.answers = [(200, None), *[(404, None)] * 4]
    code, _, err = call("AAPL", "MSFT")
    assert code == 1
    assert err.splitlines()[-1] == (
        "history: alpaca answers 404; 1 of 2 pieces are missing: the same command goes on there"
    )
    alpaca.fake.requests.clear()
    assert call("AAPL", "MSFT")[0] == 0
    assert ["symbols=MSFT" in request for request in alpaca.fake.requests] == [True]
    assert set(load_history(f"file:{_FILE}", "1d")) == {"AAPL", "MSFT"}


def test_a_spent_budget_keeps_what_is_there(
    alpaca: AlpacaInThread, call: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestor.sources.live.budget._LONGEST_WAIT_SECONDS", 0)
    monkeypatch.setenv("TICKCAST_ALPACA_REQUESTS_PER_MINUTE", "1")
    code, _, err = call("AAPL", "MSFT")
    assert code == 1
    assert "the plan allows no further request before" in err.splitlines()[-1]
    monkeypatch.setenv("TICKCAST_ALPACA_REQUESTS_PER_MINUTE", "99")
    assert call("AAPL", "MSFT")[0] == 0
    assert len(alpaca.fake.requests) == 2


def test_what_was_fetched_is_kept_for_a_day_and_then_fetched_anew_as_a_whole(
    alpaca: AlpacaInThread, call: Called
) -> None:
    call("AAPL", "--days", "20")
    call("AAPL", "--days", "20", hours_later=20)  # another day has closed meanwhile
    call("AAPL", "--days", "10", "--to", "2026-11-01")
    assert len(alpaca.fake.requests) == 1
    for start_ns, bar in alpaca.fake.history["AAPL"].items():  # as after a split of two for one
        alpaca.fake.history["AAPL"][start_ns] = _bar("AAPL", bar.open / 2)
    call("AAPL", "--days", "20", hours_later=5)
    assert len(alpaca.fake.requests) == 2
    assert load_history(f"file:{_FILE}", "1d")["AAPL"].open.max() < 100
    call("AAPL", "--days", "20", "--refresh")
    call("AAPL", "--days", "25")
    assert len(alpaca.fake.requests) == 4


def test_minutes_are_kept_by_month_and_a_session_without_any_is_named(alpaca: AlpacaInThread, call: Called) -> None:
    sessions = ("2026-10-29", "2026-10-30", "2026-11-02", "2026-11-04", "2026-11-05", "2026-11-06", "2026-11-09")
    opens_ns = [from_rfc3339(f"{day}T15:00:00Z") for day in sessions]
    alpaca.fake.history["AAPL"] = {
        open_ns + n * _MINUTE_NS: _bar("AAPL", 100.0 + n) for open_ns in opens_ns for n in range(3)
    }
    words = ("AAPL", "--interval", "1m", "--from", "2026-10-30")
    code, out, err = call(*words, "--to", "2026-11-09")
    assert code == 0
    assert err.splitlines() == ["1 of 2: AAPL 2026-10", "2 of 2: AAPL 2026-11"]
    assert "AAPL: 18 bars" in out
    assert "; 1 session lacks bars: 2026-11-03\n" in out
    assert "file:var/history/alpaca-1m.parquet" in out
    assert describe_file("var/history/alpaca-1m.parquet").interval == "1m"
    alpaca.fake.requests.clear()
    call(*words)  # to now: October is there
    assert ["2026-11-01" in request for request in alpaca.fake.requests] == [True]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["AAPL", "NONE"], "alpaca has no bars of NONE in that time: is the symbol right?"),
        (["AAPL", "--source", "bourse"], "--source 'bourse': give one of"),
        (["no symbol"], "ticker 'no symbol' is not a symbol"),
        (["AAPL", "--from", "yesterday"], "give a date like 2010-01-04"),
        (["AAPL", "--from", "2027-01-01"], "no bar lies between 2027-01-01T00:00:00Z and 2026-11-10T00:00:00Z"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    words: list[str], said: str, alpaca: AlpacaInThread, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--source", "alpaca", *words], MovedClock(_NOW_NS))
    assert ended.value.code == EXIT_STOP_AND_SAY
    assert said in capsys.readouterr().err.splitlines()[-1]
    assert _FILE.exists() is ("NONE" in words)


def test_a_plan_without_bars_of_the_past_is_not_asked_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALPHA_VANTAGE_API_KEY", "k")
    monkeypatch.setattr("schemas.service.configure_logs", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        main(["AAPL", "--interval", "1m", "--source", "alphavantage"], MovedClock(_NOW_NS))
    assert ended.value.code == EXIT_STOP_AND_SAY
    assert capsys.readouterr().err.splitlines()[-1] == "history: alphavantage's free plan has no bars within days"


def test_without_a_key_it_says_which(alpaca: AlpacaInThread, call: Called, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("APCA_API_KEY_ID")
    code, _, err = call("AAPL")
    assert (code, alpaca.fake.requests) == (EXIT_STOP_AND_SAY, [])
    assert "set APCA_API_KEY_ID and APCA_API_SECRET_KEY" in err
