"""The options of `tickcast run`."""

from pathlib import Path

import pytest

from deploy.run_options import RunSettings, parse_options
from ingestor.settings import IngestorSettings
from schemas.errors import StopAndSayError


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_silence_is_the_replay_on_port_8000_with_any_broker() -> None:
    options = parse_options([])
    assert (options.broker, options.fresh, options.interval_given) == ("auto", False, False)
    assert (options.postgres, options.redis) == (False, False)
    assert (options.settings.source, options.settings.gateway_port) == ("replay", 8000)
    assert (options.settings.speed, options.settings.start, options.settings.tickers) == (None, None, ())


def test_every_option_is_heard() -> None:
    line = "--broker embedded --source simulated --speed 2.5 --tickers msft,AAPL --start 2011-01-03 --end 2012-01-03"
    options = parse_options(
        [*line.split(), "--interval", "5m", "--port", "8123", "--loop", "--fresh", "--postgres", "--redis"]
    )
    settings = options.settings
    assert (options.broker, options.fresh, options.interval_given) == ("embedded", True, True)
    assert (options.postgres, options.redis) == (True, True)
    assert (settings.source, settings.speed, settings.tickers) == ("simulated", 2.5, ("AAPL", "MSFT"))
    assert (settings.start, settings.end, settings.interval) == ("2011-01-03", "2012-01-03", "5m")
    assert (settings.gateway_port, settings.loop) == (8123, True)


def test_an_option_wins_over_the_environment_and_the_environment_over_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TICKCAST_SPEED", "7")
    monkeypatch.setenv("TICKCAST_INTERVAL", "1h")
    monkeypatch.setenv("TICKCAST_LOOP", "true")
    options = parse_options(["--speed", "9"])
    assert (options.settings.speed, options.settings.interval, options.settings.loop) == (9, "1h", True)
    assert options.interval_given


def test_a_file_is_found_from_any_folder(tmp_path: Path) -> None:
    assert parse_options(["--source", "file:prices.csv"]).settings.source == f"file:{tmp_path}/prices.csv"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--source", "nonsense"], "TICKCAST_SOURCE"),
        (["--tickers", "AAPL,no symbol"], "TICKCAST_TICKERS"),
        (["--speed", "-1"], "TICKCAST_SPEED"),
        (["--port", "70000"], "TICKCAST_GATEWAY_PORT"),
    ],
)
def test_a_wrong_option_is_said_in_one_line_that_names_it(arguments: list[str], named: str) -> None:
    with pytest.raises(StopAndSayError, match=named) as refused:
        parse_options(arguments)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("broker", ["", "kafka", "localhost", ":9092", "host:", "host:port", "a:1,b", "http://a:1 b"])
def test_a_wrong_broker_is_refused_with_the_choices(broker: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_options(["--broker", broker])
    assert "use auto, local, embedded or HOST:PORT" in capsys.readouterr().err


@pytest.mark.parametrize("broker", ["auto", "embedded", "local", "kafka.example:9092", "a:9092,b:9092"])
def test_a_broker_is_one_of_the_choices_or_addresses(broker: str) -> None:
    assert parse_options(["--broker", broker]).broker == broker


def test_a_home_folder_that_does_not_exist_is_said_in_one_line() -> None:
    with pytest.raises(StopAndSayError, match=r"TICKCAST_SOURCE: .*~nobody-of-this-name/a\.csv does not begin with"):
        parse_options(["--source", "file:~nobody-of-this-name/a.csv"])


def test_what_the_services_take_for_silence_is_the_same_here() -> None:
    ours, theirs = RunSettings.model_fields, IngestorSettings.model_fields
    assert [ours[name].default for name in ("source", "tickers", "loop")] == [
        theirs[name].default for name in ("source", "tickers", "loop")
    ]
