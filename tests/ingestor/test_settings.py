"""What the ingestor can be told."""

import pytest

from deploy.run_options import RunSettings
from ingestor.settings import IngestorSettings
from predictor.training.settings import TrainingSettings
from schemas import source_settings
from schemas.errors import StopAndSayError
from schemas.settings import Settings, load_settings
from schemas.source_settings import live_names
from schemas.times import from_rfc3339


@pytest.fixture(autouse=True)
def _silent(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)


def test_the_default_is_the_replay_from_2010_at_a_day_a_second() -> None:
    settings = load_settings(IngestorSettings)
    assert (settings.source_kind, settings.name, settings.speed) == ("replay", "replay", 1.0)
    assert settings.start_ns == from_rfc3339("2010-01-04")
    assert settings.end_ns is None
    assert settings.metrics_port == 9_101


def test_a_file_has_a_path_and_begins_where_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKCAST_SOURCE", "file:/data/a:b.csv")
    settings = load_settings(IngestorSettings)
    assert (settings.source_kind, settings.source_path, settings.start_ns) == ("file", "/data/a:b.csv", None)


def test_live_markets_are_named_in_order_and_share_a_name_so_that_one_can_follow_on_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(source_settings, "LIVE_SOURCES", ("alpaca", "other"))
    for text, names in (("alpaca", ("alpaca",)), (" other, alpaca ", ("other", "alpaca"))):
        monkeypatch.setenv("TICKCAST_SOURCE", text)
        settings = load_settings(IngestorSettings)
        assert (settings.source_kind, settings.source_path, settings.name) == ("live", "", "live")
        assert live_names(settings.source) == names
        assert load_settings(TrainingSettings).before_ns is not None
        assert load_settings(RunSettings).source == settings.source
    monkeypatch.setenv("TICKCAST_SOURCE_NAME", "markets")
    assert load_settings(IngestorSettings).name == "markets"


@pytest.mark.parametrize(
    ("text", "said"),
    [("alpaca,nobody", "'nobody' is none"), ("alpaca,alpaca", "named twice"), ("alpaca,replay", "'replay' is none")],
)
@pytest.mark.parametrize("settings", [IngestorSettings, TrainingSettings, RunSettings])
def test_a_market_that_is_unknown_or_doubled_is_said(
    monkeypatch: pytest.MonkeyPatch, settings: type[Settings], text: str, said: str
) -> None:
    monkeypatch.setenv("TICKCAST_SOURCE", text)
    with pytest.raises(StopAndSayError, match=f"TICKCAST_SOURCE.*{said}"):
        load_settings(settings)


def test_tickers_are_upper_case_sorted_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKCAST_TICKERS", "msft, AAPL,msft,")
    assert load_settings(IngestorSettings).tickers == ("AAPL", "MSFT")


def test_an_end_date_is_the_last_day_and_an_end_time_is_not_played(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKCAST_END", "2010-02-01")
    assert load_settings(IngestorSettings).end_ns == from_rfc3339("2010-02-02")
    monkeypatch.setenv("TICKCAST_END", "20100201")
    assert load_settings(IngestorSettings).end_ns == from_rfc3339("2010-02-02")
    for time in ("2010-02-01T12:00:00Z", "20100201T12", "2010-02-01 00:00"):
        monkeypatch.setenv("TICKCAST_END", time)
        assert load_settings(IngestorSettings).end_ns == from_rfc3339(time)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SOURCE", "file:"),
        ("SOURCE", "nobody"),
        ("START", "yesterday"),
        ("SPEED", "-1"),
        ("SPEED", "inf"),
        ("TICKERS", "A B"),
        ("FRAME_TICKS", "0"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(f"TICKCAST_{variable}", value)
    with pytest.raises(StopAndSayError, match=f"TICKCAST_{variable}"):
        load_settings(IngestorSettings)


def test_an_empty_start_is_the_sources_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKCAST_START", "")
    monkeypatch.setenv("TICKCAST_END", "")
    settings = load_settings(IngestorSettings)
    assert settings.start_ns == from_rfc3339("2010-01-04")
    assert settings.end_ns is None
