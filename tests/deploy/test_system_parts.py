"""The parts of a whole system, and what each is told."""

from dataclasses import replace
from pathlib import Path

import pytest

from deploy.run_options import RunSettings, parse_options
from deploy.system_parts import Place, running_variables, service_variables, system_parts
from feature_stream.settings import FeatureStreamSettings
from gateway.settings import GatewaySettings
from ingestor.settings import IngestorSettings
from predictor.training.settings import TrainingSettings
from schemas.settings import load_settings
from tests.deploy.service_settings import settings_classes, variables

PLACE = Place(
    {"TICKCAST_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:22336", "TICKCAST_KAFKA_EMBEDDED": "0"},
    "mine-",
    Path("var/feature_stream/local_mine-"),
    8123,
    {
        "ingestor": 9101,
        "feature_stream": 20_001,
        "predictor": 9103,
        "trainer": 9104,
        "recorder": 9105,
        "outcomes": 9106,
    },
)


def _variables(*arguments: str) -> dict[str, str]:
    options = parse_options(arguments)
    return service_variables(options.settings, "1d", PLACE)


def test_every_variable_is_a_setting_of_some_service() -> None:
    known = set().union(*map(variables, settings_classes()))
    assert set(_variables("--speed", "2", "--start", "2010-01-04", "--end", "2011-01-03")) <= known


def test_every_option_is_a_setting_of_some_service() -> None:
    assert variables(RunSettings) <= set().union(*map(variables, settings_classes()))


def test_the_services_understand_what_the_options_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    words = "--speed 2.5 --tickers AAPL,IBM --start 2011-01-03 --end 2012-01-03 --loop --source file:a.csv"
    for name, value in _variables(*words.split()).items():
        monkeypatch.setenv(name, value)
    played = load_settings(IngestorSettings)
    assert (played.speed, played.tickers, played.start, played.end, played.loop, played.source_path) == (
        *(2.5, ("AAPL", "IBM"), "2011-01-03", "2012-01-03", True),
        f"{tmp_path}/a.csv",
    )
    trained = load_settings(TrainingSettings)
    assert (trained.source, trained.tickers, trained.start) == (played.source, played.tickers, played.start)
    assert load_settings(GatewaySettings).gateway_port == 8123
    assert load_settings(FeatureStreamSettings).data_directory == PLACE.data_directory
    assert {s.topic_prefix for s in (played, trained)} == {"mine-"}


def test_history_of_another_log_is_deleted_only_where_no_database_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _variables()["TICKCAST_RECORDER_FORGETS_OTHER_LOGS"] == "true"
    monkeypatch.setenv("TICKCAST_DATABASE_URL", "postgresql://me:secret@db/mine")
    assert "TICKCAST_RECORDER_FORGETS_OTHER_LOGS" not in _variables()


def test_servers_of_the_run_come_before_those_that_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKCAST_DATABASE_URL", "postgresql://me:secret@db/mine")
    ours = {"TICKCAST_DATABASE_URL": "postgresql:///ours", "TICKCAST_REDIS_URL": "redis://127.0.0.1:6379/0"}
    settings, place = parse_options([]).settings, replace(PLACE, servers=ours)
    given = service_variables(settings, "1d", place)
    assert given.items() >= (ours | {"TICKCAST_RECORDER_FORGETS_OTHER_LOGS": "true"}).items()
    assert running_variables(settings, "1d", place).items() >= ours.items()


def test_silence_stays_silence_so_that_a_service_keeps_its_own_default() -> None:
    assert not {"TICKCAST_SPEED", "TICKCAST_START", "TICKCAST_END"} & set(_variables())


def test_the_parts_are_the_services_and_a_trainer_and_a_recorder_without_which_they_go_on() -> None:
    parts = {part.name: part for part in system_parts({"PATH": "/bin"}, _variables(), PLACE)}
    assert set(parts) == {"ingestor", "feature_stream", "predictor", "outcomes", "gateway", "recorder", "trainer"}
    assert parts["outcomes"].command[1:] == ("-m", "feature_stream.outcomes")
    assert all(part.health_url and not part.once for part in parts.values())
    trainer, recorder = parts.pop("trainer"), parts.pop("recorder")
    assert trainer.command[1:] == ("-m", "predictor.training", "trainer")
    assert (trainer.health_url, trainer.essential) == ("http://127.0.0.1:9104/health", False)
    assert trainer.niceness > 0
    assert recorder.command[1:] == ("-m", "gateway.recorder")
    assert (recorder.health_url, recorder.essential) == ("http://127.0.0.1:9105/health", False)
    assert all(part.essential and not part.niceness for part in parts.values())
    assert parts["feature_stream"].health_url == "http://127.0.0.1:20001/health"
    assert parts["feature_stream"].environment is not None
    assert parts["feature_stream"].environment["TICKCAST_METRICS_PORT"] == "20001"
    assert parts["gateway"].health_url == "http://127.0.0.1:8123/health"
    assert parts["gateway"].environment is not None
    assert parts["gateway"].environment["PATH"] == "/bin"
