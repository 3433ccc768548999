"""The shipped alert rules: valid, each shown firing and staying quiet, each explained."""

import re
import subprocess
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.operations.scaled_rules import scaled
from tests.prometheus import SHIPPED, program

RULES = sorted((SHIPPED / "rules").glob("*.yml"))
TESTS = Path(__file__).with_name("rules")
GUIDE = SHIPPED.parents[1] / "docs" / "operations.md"
FIRING = 'ALERTS{alertstate="firing"'


def rules_in(file: Path) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]


ALERTS = {rule["alert"]: rule for file in RULES for rule in rules_in(file) if "alert" in rule}


def _tests() -> dict[str, list[dict[str, Any]]]:
    """Give the unit tests by the first word of their names, which is an alert's."""
    found = defaultdict(list)
    for file in TESTS.glob("*.test.yml"):
        for test in yaml.safe_load(file.read_text())["tests"]:
            found[test["name"].split()[0]].append(test)
    return found


@pytest.mark.parametrize("file", RULES, ids=lambda path: path.stem)
def test_rules_are_valid_and_do_what_their_unit_tests_say(file: Path) -> None:
    for verb, files in (("check", [file]), ("test", sorted(TESTS.glob(f"{file.stem}*.test.yml")))):
        ran = subprocess.run([program("promtool"), verb, "rules", *files], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_is_shown_firing_and_staying_quiet(alert: str) -> None:
    shown: dict[bool, bool] = {}
    for test in _tests()[alert]:
        quiet = "stays quiet" in test["name"]
        checks = [check for check in test["promql_expr_test"] if FIRING in check["expr"]]
        said = [sample["labels"] for check in checks for sample in check["exp_samples"]]
        assert checks
        assert quiet == (not said), f"{test['name']}: {said}"
        assert all(f'alertname="{alert}"' in labels for labels in said)
        shown[quiet] = True
    assert shown == {True: True, False: True}


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_says_what_it_is_and_where_to_read_on(alert: str) -> None:
    rule = ALERTS[alert]
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    said = rule["annotations"]
    assert said.keys() == {"summary", "description", "runbook"}
    assert len(said["summary"]) < 80
    assert said["description"].endswith(".")
    assert said["runbook"] == f"docs/operations.md#{alert.lower()}"
    section = re.search(rf"^### {alert}\n\n(.+?)(?=^##|\Z)", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    assert section is not None, f"docs/operations.md has no section of {alert}"
    assert len(section[1].split()) > 20, "what it means, and what to do"


def test_the_guide_explains_no_alert_that_there_is_not() -> None:
    assert set(re.findall(r"^### (Tickcast\w+)", GUIDE.read_text(), re.MULTILINE)) == set(ALERTS)


def test_scaled_rules_have_shorter_times_and_all_else_as_it_was() -> None:
    rule = {
        "alert": "A",
        "expr": 'rate(x{le="0.25"}[5m]) > 14.4 * 0.001 and tickcast:y:1h offset 5m > 5 or z[3d]',
        "for": "10m",
        "labels": {"severity": "info"},
    }
    record = {"record": "tickcast:y:1h", "expr": "sum(rate(x[1h])) unless w[10s]"}
    rules = {"groups": [{"name": "g", "rules": [rule, record]}]}
    [group] = scaled(rules, 1 / 60, least_range_seconds=4)["groups"]
    assert group["name"] == "g"
    assert group["rules"] == [
        {
            **rule,
            "expr": 'rate(x{le="0.25"}[5s]) > 14.4 * 0.001 and tickcast:y:1h offset 5s > 5 or z[4320s]',
            "for": "10s",
        },
        {"record": "tickcast:y:1h", "expr": "sum(rate(x[60s])) unless w[4s]"},
    ]
    assert rule["for"] == "10m", "what was given is left alone"
    assert scaled(rules, 1.0, least_range_seconds=1)["groups"][0]["rules"][0]["for"] == "600s"
