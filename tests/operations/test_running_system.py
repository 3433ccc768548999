"""The shipped rules on a system that runs: their series are there, and what goes wrong is said."""

import re
import signal
from functools import partial
from pathlib import Path

import pytest
import yaml

from schemas.broker import wait_until
from schemas.metrics import METRICS, OLDEST_AGES
from schemas.topics import TICKS
from tests.operations.watched_system import FORGOTTEN, LIVE, WatchedSystem
from tests.prometheus import SHIPPED

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("operations")]

ALERT_SECONDS = 120.0
_SERIES = re.compile(r"\b(?:tickcast[_:][\w:]+|process_\w+|up)\b(?!\")")
_TICKERS = {"AAPL", "FB", "GOOG", "IBM", "MSFT", "NOSUCH", FORGOTTEN, LIVE}


def series_in(rules: Path) -> set[str]:
    """Give the names of all series that a file of rules asks for or makes."""
    groups = yaml.safe_load(rules.read_text())["groups"]
    texts = [text for group in groups for rule in group["rules"] for text in (rule["expr"], rule.get("record", ""))]
    return {name for text in texts for name in _SERIES.findall(text.replace('job="tickcast"', ""))}


@pytest.mark.parametrize("rules", sorted((SHIPPED / "rules").glob("*.yml")), ids=lambda path: path.stem)
def test_every_series_that_the_rules_name_is_there(watched: WatchedSystem, rules: Path) -> None:
    wanted = series_in(rules)
    assert wanted
    for name in sorted(wanted):
        watched.prometheus.wait_for(f'{{__name__="{name}"}}', ALERT_SECONDS)


def test_no_label_is_a_ticker_or_a_path_that_somebody_asked_for(watched: WatchedSystem) -> None:
    watched.prometheus.wait_for(f"{OLDEST_AGES.name}", ALERT_SECONDS)
    watched.prometheus.wait_for('tickcast_http_request_seconds_count{route="other"}', ALERT_SECONDS)
    names = "|".join(f"{metric.name}.*" for metric in METRICS)
    samples = watched.prometheus.query(f'{{__name__=~"{names}"}}')
    assert len(samples) > 100
    values = {
        (s.labels["__name__"], value) for s in samples for label, value in s.labels.items() if label != "__name__"
    }
    of_tickers = {name for name, value in values if _TICKERS & set(re.split(r"\W+", value))}
    assert of_tickers == {OLDEST_AGES.name}
    assert not [value for _, value in values if "nowhere" in value]


def test_bad_records_are_told_of(watched: WatchedSystem) -> None:
    assert not [alert for alert in watched.prometheus.alerts() if alert["alertname"] == "TickcastDeadLetters"]
    watched.system.broker.produce(TICKS, b"rubbish", b"more of it", partition=0)
    alert = watched.prometheus.wait_for_alert("TickcastDeadLetters", ALERT_SECONDS, reason="undecodable")
    assert alert["service"] == "feature_stream"


def test_a_predictor_that_hangs_is_told_of(watched: WatchedSystem) -> None:
    predictor = watched.system.services["predictor"]
    assert "TickcastServiceDown" not in {alert["alertname"] for alert in watched.prometheus.alerts()}
    predictor.send(signal.SIGSTOP)
    try:
        watched.prometheus.wait_for_alert("TickcastServiceDown", ALERT_SECONDS, service="predictor")
    finally:
        predictor.send(signal.SIGCONT)
    watched.prometheus.wait_for('up{service="predictor"} == 1', ALERT_SECONDS)


def test_a_source_that_says_nothing_is_told_of(watched: WatchedSystem) -> None:
    system = watched.system
    assert "TickcastSourceMute" not in {alert["alertname"] for alert in watched.prometheus.alerts()}
    speed = system.settings["speed"]
    for pace in (0.001, speed):  # a bar in a quarter of an hour, and back again
        assert system.services["ingestor"].stop() == 0
        system.settings["speed"] = pace
        _start_ingestor_where_it_was(watched)
        if pace != speed:
            watched.prometheus.wait_for_alert("TickcastSourceMute", ALERT_SECONDS, source="replay")


def test_a_provider_that_lies_is_told_of_and_nothing_stops(watched: WatchedSystem) -> None:
    assert "TickcastSourcesDisagree" not in {alert["alertname"] for alert in watched.prometheus.alerts()}
    watched.market.lie = 1.05
    try:
        alert = watched.prometheus.wait_for_alert("TickcastSourcesDisagree", ALERT_SECONDS, source="polygon")
        assert alert["severity"] == "warning"
        before = watched.system.get(f"/predict/{LIVE}")["updated_at"]
        newer = partial(_is_newer, watched, before)
        wait_until(newer, seconds=ALERT_SECONDS, what="a newer prediction")
    finally:
        watched.market.lie = 1.0
    assert watched.system.services["live"].alive()
    watched.prometheus.wait_for("tickcast_source_disagreeing_tickers == 0", ALERT_SECONDS)


def _is_newer(watched: WatchedSystem, before: str) -> bool:
    return bool(watched.system.get(f"/predict/{LIVE}")["updated_at"] > before)


def _start_ingestor_where_it_was(watched: WatchedSystem) -> None:
    system = watched.system
    port = system.services["ingestor"].health_port
    environment = system.environment() | {"TICKCAST_METRICS_PORT": str(port)}
    system.services["ingestor"] = system.processes.start("ingestor", environment=environment)
