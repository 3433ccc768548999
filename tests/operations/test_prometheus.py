"""The shipped configuration, and how Prometheus comes to know where a run's /metrics are."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry, start_http_server

from deploy.scrape_targets import SCRAPE_TARGETS, remove_scrape_targets, scrape_targets, write_scrape_targets
from deploy.system_parts import METRICS_PORTS, Place
from schemas.metrics import TICKS_INGESTED
from tests.processes import free_port
from tests.prometheus import SHIPPED, BadQueryError, program, prometheus_server

ROOT = SHIPPED.parents[1]
PLACE = Place({}, "", Path("tables"), 8123, {"ingestor": 9101, "trainer": 40_123}, metrics_host="::")


def test_the_shipped_configuration_is_valid() -> None:
    subprocess.run([program("promtool"), "check", "config", SHIPPED / "prometheus.yml"], check=True)


def test_a_run_says_where_its_metrics_are_while_it_runs(tmp_path: Path) -> None:
    write_scrape_targets(tmp_path, PLACE)
    said = json.loads((tmp_path / SCRAPE_TARGETS).read_text())
    assert said == scrape_targets(PLACE)
    assert {each["labels"]["service"]: each["targets"] for each in said} == {
        "ingestor": ["[::1]:9101"],
        "trainer": ["[::1]:40123"],
        "gateway": ["127.0.0.1:8123"],
    }
    remove_scrape_targets(tmp_path)
    remove_scrape_targets(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_gateway_with_a_certificate_is_scraped_over_https() -> None:
    place = Place({}, "", Path("tables"), 8123, {"ingestor": 9101}, https=True)
    schemes = {each["labels"]["service"]: each["labels"]["__scheme__"] for each in scrape_targets(place)}
    assert schemes == {"ingestor": "http", "gateway": "https"}


def test_the_shipped_configuration_reads_the_file_that_a_run_writes() -> None:
    [job] = yaml.safe_load((SHIPPED / "prometheus.yml").read_text())["scrape_configs"]
    [discovery] = job["file_sd_configs"]
    assert [(SHIPPED / file).resolve() for file in discovery["files"]] == [ROOT / "var" / SCRAPE_TARGETS]


def test_compose_is_scraped_where_its_services_listen() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    entries = yaml.safe_load((SHIPPED / "compose-targets.json").read_text())
    said = {each["labels"]["service"]: each["targets"] for each in entries}
    ports = {name: services[name]["environment"]["TICKCAST_METRICS_PORT"] for name in METRICS_PORTS}
    ports["gateway"] = services["gateway"]["environment"]["TICKCAST_GATEWAY_PORT"]
    assert said == {name: [f"{name}:{port}"] for name, port in ports.items()}


@pytest.mark.integration
def test_prometheus_scrapes_and_says_what_a_rule_finds(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    TICKS_INGESTED.counter(registry).labels("replay").inc(7)
    port, rules = free_port(), tmp_path / "rules.yml"
    start_http_server(port, "127.0.0.1", registry)
    rule = {"alert": "Ticks", "expr": "tickcast_ticks_ingested_total > 6", "labels": {"severity": "info"}}
    rules.write_text(yaml.safe_dump({"groups": [{"name": "one", "rules": [rule]}]}))
    targets = {"ingestor": f"127.0.0.1:{port}", "predictor": f"127.0.0.1:{free_port()}"}
    with prometheus_server(tmp_path, targets, [rules]) as prometheus:
        [ticks] = prometheus.wait_for("tickcast_ticks_ingested_total", 30)
        assert (ticks.labels["service"], ticks.labels["source"], ticks.value) == ("ingestor", "replay", 7.0)
        assert prometheus.wait_for_alert("Ticks", 30, source="replay")["severity"] == "info"
        [down] = prometheus.wait_for('up{job="tickcast"} == 0', 30)
        assert down.labels["service"] == "predictor"
        assert prometheus.targets()["ingestor"]["health"] == "up"
        assert "tickcast_ticks_ingested_total" in prometheus.metric_names()
        with pytest.raises(BadQueryError, match="parse error"):
            prometheus.query("up{")
    assert prometheus.process.poll() == 0
