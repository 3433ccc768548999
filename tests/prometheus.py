"""A Prometheus of the tests, from the machine's own programs, under the configuration that is shipped."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

import httpx
import pytest
import yaml

from deploy.children import last_lines, start_child, stop_child
from schemas.broker import wait_until
from tests.processes import free_port

SHIPPED = Path(__file__).parents[1] / "deploy" / "prometheus"
#: It scrapes and evaluates so often here.
EVERY_SECONDS = 2
_START_SECONDS = 60.0
_ANSWER_SECONDS = 30.0


@dataclass(frozen=True)
class Sample:
    """A series at one moment."""

    labels: Mapping[str, str]
    value: float


class BadQueryError(AssertionError):
    """Prometheus does not understand it."""


class Prometheus:
    """One that runs."""

    def __init__(self, url: str, process: "Popen[bytes]", log: Path) -> None:
        self.url = url
        self.process = process
        self._log = log

    def query(self, expression: str) -> list[Sample]:
        """Give what an expression is now.

        Raises:
            BadQueryError: It is none.
        """
        found = self._get("/api/v1/query", query=expression)
        if found["resultType"] == "scalar":
            return [Sample({}, float(found["result"][1]))]
        return [Sample(each["metric"], float(each["value"][1])) for each in found["result"]]

    def wait_for(self, expression: str, seconds: float) -> list[Sample]:
        """Wait until an expression gives something, and give it; fail at the deadline."""
        found: list[Sample] = []

        def there() -> bool:
            found[:] = self.query(expression)
            return bool(found)

        wait_until(there, seconds=seconds, what=f"an answer to {expression}", every_seconds=0.25)
        return found

    def alerts(self, state: str = "firing") -> list[dict[str, str]]:
        """Give the labels, `alertname` among them, of each alert that fires (or is `pending`)."""
        return [each["labels"] for each in self._get("/api/v1/alerts")["alerts"] if each["state"] == state]

    def wait_for_alert(self, name: str, seconds: float, **labels: str) -> dict[str, str]:
        """Wait until an alert fires with these labels, and give all of them; fail at the deadline."""
        found: list[dict[str, str]] = []

        def fires() -> bool:
            found[:] = [each for each in self.alerts() if {"alertname": name, **labels}.items() <= each.items()]
            return bool(found)

        wait_until(fires, seconds=seconds, what=f"the alert {name}{labels or ''}", every_seconds=0.25)
        return found[0]

    def metric_names(self) -> set[str]:
        """Give the names of all series that it has."""
        return set(self._get("/api/v1/label/__name__/values"))

    def targets(self) -> dict[str, dict[str, Any]]:
        """Give what it says of each target that it scrapes, by the target's `service`."""
        return {each["labels"]["service"]: each for each in self._get("/api/v1/targets")["activeTargets"]}

    def is_ready(self) -> bool:
        """Tell whether it answers queries."""
        try:
            return httpx.get(f"{self.url}/-/ready", timeout=_ANSWER_SECONDS).is_success
        except httpx.TransportError:
            return False

    def last_words(self) -> str:
        """Give the end of its log."""
        return last_lines(self._log, 10)

    def _get(self, path: str, **parameters: str) -> Any:
        answer = httpx.get(f"{self.url}{path}", params=parameters, timeout=_ANSWER_SECONDS)
        if answer.is_error:
            raise BadQueryError(answer.text)
        return answer.json()["data"]


def program(name: str = "prometheus") -> str:
    """Give the executable; skip, or fail where `REQUIRE_PROMETHEUS` is set, when there is none."""
    found = shutil.which(name)
    if found is not None:
        return found
    reason = f"no {name} on the PATH"
    if os.environ.get("REQUIRE_PROMETHEUS", "") not in ("", "0"):
        pytest.fail(f"REQUIRE_PROMETHEUS is set: {reason}", pytrace=False)
    pytest.skip(reason)


@contextmanager
def prometheus_server(
    folder: Path, targets: Path | Mapping[str, str], rules: Sequence[Path] = ()
) -> Iterator[Prometheus]:
    """Give a Prometheus that scrapes every two seconds, under the shipped configuration of the job.

    Args:
        folder: For its configuration, log and data; exists.
        targets: A file like `var/prometheus-targets.json`, or by service `HOST:PORT`.
        rules: Files of rules; none of those that are shipped is read unless it is here.
    """
    executable = program()
    if not isinstance(targets, Path):
        targets = _write_targets(folder, targets)
    configuration = folder / "prometheus.yml"
    configuration.write_text(yaml.safe_dump(_configuration(targets, rules)))
    port, log = free_port(), folder / "prometheus.log"
    process = start_child(
        [
            *(executable, f"--config.file={configuration}", f"--storage.tsdb.path={folder / 'data'}"),
            *(f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"),
        ],
        log=log,
        folder=folder,
    )
    server = Prometheus(f"http://127.0.0.1:{port}", process, log)
    try:
        wait_until(
            lambda: process.poll() is not None or server.is_ready(), seconds=_START_SECONDS, what="Prometheus's start"
        )
        assert process.poll() is None, server.last_words()
        yield server
    finally:
        stop_child(process)


def _configuration(targets: Path, rules: Sequence[Path]) -> dict[str, Any]:
    """Give the shipped configuration with a test's own pace, targets and rules."""
    shipped: dict[str, Any] = yaml.safe_load((SHIPPED / "prometheus.yml").read_text())
    every = f"{EVERY_SECONDS}s"
    shipped["global"] = {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every}
    shipped["rule_files"] = [str(file) for file in rules]
    [job] = shipped["scrape_configs"]
    job["file_sd_configs"] = [{"files": [str(targets)], "refresh_interval": every}]
    return shipped


def _write_targets(folder: Path, targets: Mapping[str, str]) -> Path:
    file = folder / "targets.json"
    entries = [{"targets": [address], "labels": {"service": name}} for name, address in targets.items()]
    file.write_text(json.dumps(entries))
    return file
