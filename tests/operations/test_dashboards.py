"""The shipped Grafana dashboards: whole, and asking for what there is."""

import re
import subprocess
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from schemas.metrics import METRICS
from tests.operations.dashboards import DASHBOARDS, GRAFANA, annotations, queries, read, shown
from tests.prometheus import SHIPPED, program

ROOT = GRAFANA.parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
#: The newest of the classic model.
SCHEMA_VERSION = 42
_PARTS = {"histogram": ("_bucket", "_sum", "_count"), "gauge": ("",), "counter": ("",)}
#: What Prometheus and its client library say by themselves.
OTHERS = {
    "up": set[str](),
    "ALERTS": {"alertname", "alertstate"},
    "process_resident_memory_bytes": set[str](),
    "process_cpu_seconds_total": set[str](),
    "process_start_time_seconds": set[str](),
}
#: What the scrape adds to every series, and a gateway of several workers to its own.
ADDED = {"job", "instance", "service", "worker"}
LABELS = {
    metric.name + part: {*metric.labels, *(("le",) if part == "_bucket" else ())}
    for metric in METRICS
    for part in _PARTS[metric.kind]
} | OTHERS

every_dashboard = pytest.mark.parametrize("file", DASHBOARDS, ids=lambda path: path.stem)


def test_there_is_one_for_each_question_and_all_have_names_of_their_own() -> None:
    assert [file.stem for file in DASHBOARDS] == ["gateway", "models", "pipeline"]
    dashboards = [read(file) for file in DASHBOARDS]
    assert [dashboard["uid"] for dashboard in dashboards] == [f"tickcast-{file.stem}" for file in DASHBOARDS]
    assert len({dashboard["title"] for dashboard in dashboards}) == len(dashboards)
    for dashboard in dashboards:
        assert dashboard["schemaVersion"] == SCHEMA_VERSION
        assert dashboard["description"]
        assert dashboard["tags"] == ["tickcast"], "the links between them go by it"
        assert "id" not in dashboard, "that of the Grafana it was exported from"


@every_dashboard
def test_each_panel_has_its_own_id_and_place(file: Path) -> None:
    panels = read(file)["panels"]
    assert Counter(panel["id"] for panel in panels).most_common(1)[0][1] == 1
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] >= 0
        assert place["x"] + place["w"] <= 24
    for one, other in combinations(panels, 2):
        assert not _overlap(one["gridPos"], other["gridPos"]), f"{one['title']} lies over {other['title']}"


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in (("x", "w"), ("y", "h"))
    )


@every_dashboard
def test_each_panel_says_what_it_shows_in_which_unit_and_asks_for_it(file: Path) -> None:
    dashboard = read(file)
    titles = [(panel["type"], panel["title"]) for panel in shown(dashboard)]
    assert len(set(titles)) == len(titles)
    for panel in shown(dashboard):
        title = panel["title"]
        assert panel["targets"], title
        assert len(panel["description"].split()) >= 3, title
        assert panel["description"].endswith("."), title
        assert panel["fieldConfig"]["defaults"]["unit"], title
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["value"] is None, title
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]), title
        for target in panel["targets"]:
            assert target["legendFormat"], title
            named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            grouped = {each for group in re.findall(r"by \(([^)]*)\)", target["expr"]) for each in group.split(", ")}
            assert named <= grouped, f"{title}: the legend names what the query drops"


@every_dashboard
def test_where_the_series_come_from_can_be_chosen(file: Path) -> None:
    dashboard = read(file)
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    used = set(re.findall(r"\$\{?(\w+)\}?", file.read_text()))
    assert variables.keys() <= used, "a variable that changes nothing"
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    asking = [*shown(dashboard), *annotations(dashboard), *(v for v in variables.values() if v["type"] == "query")]
    targets = [target for panel in shown(dashboard) for target in panel["targets"]]
    assert all(each["datasource"] == chosen for each in (*asking, *targets))


def test_prometheus_understands_every_query(tmp_path: Path) -> None:
    asked = [query for file in DASHBOARDS for query in queries(file)]
    assert len(asked) > 100
    rules = [
        {"record": f"query:{number}", "expr": query.expression, "labels": {"panel": query.asker}}
        for number, query in enumerate(asked)
    ]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    ran = subprocess.run([program("promtool"), "check", "rules", file], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"SUCCESS: {len(asked)} rules found" in ran.stdout


@every_dashboard
def test_every_series_and_label_that_is_asked_for_is_one_of_ours(file: Path) -> None:
    for query in queries(file):
        expression = re.sub(r'"[^"]*"', '""', query.expression)
        names = set(re.findall(r"\b(?:tickcast_\w+|process_\w+|up|ALERTS)\b", expression))
        assert names, query
        assert names <= LABELS.keys(), f"{query.asker}: {names - LABELS.keys()}"
        known = ADDED.union(*(LABELS[name] for name in names))
        grouped = [each.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for each in group.split(",")]
        selected = re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", expression)
        assert {*grouped, *selected} <= known, f"{query.asker}: {({*grouped, *selected}) - known}"


def test_every_metric_is_on_a_dashboard() -> None:
    asked = " ".join(query.expression for file in DASHBOARDS for query in queries(file))
    assert {metric.name for metric in METRICS if metric.name not in asked} == set[str]()


def test_grafana_finds_its_dashboards_and_the_prometheus_beside_it() -> None:
    grafana = COMPOSE["grafana"]
    assert grafana["profiles"] == COMPOSE["prometheus"]["profiles"] == ["monitoring"]
    mounts = dict(volume.split(":")[:2] for volume in grafana["volumes"])
    provider = yaml.safe_load((GRAFANA / "provisioning" / "dashboards" / "tickcast.yml").read_text())["providers"][0]
    assert mounts["./deploy/grafana/dashboards"] == provider["options"]["path"]
    [source] = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090"
    pace = yaml.safe_load((SHIPPED / "prometheus.yml").read_text())["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == pace


def test_grafana_is_seen_on_this_machine_only_and_has_no_password_that_others_know() -> None:
    grafana = COMPOSE["grafana"]
    assert all(port.startswith("127.0.0.1:") for port in grafana["ports"])
    assert "disable_initial_admin_creation = true" in (GRAFANA / "grafana.ini").read_text()
    assert grafana["environment"] == {
        "GF_SECURITY_ADMIN_PASSWORD": "${GRAFANA_ADMIN_PASSWORD:-}",
        "GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION": "${GRAFANA_ADMIN_PASSWORD:+false}",
    }
