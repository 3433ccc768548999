"""Files beside the code that must keep step with it."""

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pydantic_core import PydanticUndefined

from schemas.settings import ENV_PREFIX, Settings
from tests.deploy.service_settings import settings_classes, variables

ROOT = Path(__file__).parents[2]
TARGETS = {
    *("help", "install", "run", "test", "coverage", "check", "format", "lock", "train", "bench", "kafka", "schemas"),
    *(
        "bench-serving",
        "bench-features",
        "bench-recovery",
        "bench-day",
        "bench-rest",
        "bench-sockets",
        "bench-page",
        "screenshots",
        "test-browser",
        "coverage-gateway",
        "load",
        "chaos",
        "fuzz",
        "soak",
        "prometheus",
        "docker-build",
        "docker-run",
        "clean",
    ),
}
#: These differ between services, or machines.
_NOT_COMPARED = {"metrics_port", "instance", "jars_folder"}


def _documented() -> dict[str, str]:
    text = (ROOT / ".env.example").read_text()
    pairs = re.findall(rf"^#({ENV_PREFIX}[A-Z_]+)=(.*)$", text, re.MULTILINE)
    assert len(pairs) == len(dict(pairs)), "a setting is documented twice"
    return dict(pairs)


def test_the_example_documents_every_setting_and_no_other() -> None:
    documented = set(_documented())
    existing = set().union(*map(variables, settings_classes()))
    assert documented - existing == set(), "these are no settings (any more): take them out of .env.example"
    assert existing - documented == set(), "add these to .env.example, each with a line on what it does"


@pytest.mark.parametrize("settings_type", settings_classes(), ids=lambda c: c.__name__)
def test_the_example_states_the_defaults(
    settings_type: type[Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uncommented = tmp_path / "every.env"
    uncommented.write_text("".join(f"{name}={value}\n" for name, value in _documented().items() if value))
    stated = settings_type(_env_file=uncommented).model_dump(exclude=_NOT_COMPARED)
    assert stated == settings_type(_env_file=None).model_dump(exclude=_NOT_COMPARED)


@pytest.mark.parametrize("settings_type", settings_classes(), ids=lambda c: c.__name__)
def test_an_empty_value_in_the_example_is_an_empty_default(settings_type: type[Settings]) -> None:
    documented = _documented()
    for name, field in settings_type.model_fields.items():
        if name not in _NOT_COMPARED and not documented[f"{ENV_PREFIX}{name.upper()}"]:
            default: Any = field.default
            assert default is not PydanticUndefined
            assert not getattr(default, "get_secret_value", lambda value=default: value)(), name


def test_every_target_says_what_it_does() -> None:
    # Not as a part of the `make test` that we may run under.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    printed = subprocess.run(["make"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    listed = {line.split()[0] for line in printed.splitlines()[1:] if len(line.split()) > 2}
    assert listed == TARGETS
    [phony] = re.findall(r"^\.PHONY: (help .*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(phony.split()) == listed


def test_an_old_python_is_refused_with_a_clear_line(tmp_path: Path) -> None:
    old = tmp_path / "python3.8"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "requirements.lock").touch()
    asked = subprocess.run(
        ["make", "install", f"PYTHON={old}"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert asked.returncode != 0
    assert f"Tickcast needs Python 3.11, 3.12 or 3.13, and {old} is not" in asked.stderr
    assert not (tmp_path / ".venv").exists()


def test_ci_calls_the_targets_that_people_use() -> None:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]
    commands = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    made = {word for command in commands if command.startswith("make ") for word in command.split()[1:]}
    assert made == {"coverage", "docker-build"}
    assert ".ci/run" in commands
    script = (ROOT / ".ci" / "run").read_text()
    assert "export REQUIRE_KAFKA=1" in script
    assert re.search(r"^make check test$", script, re.MULTILINE)
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_hooks_run_what_make_installed() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repository["repo"] for repository in config["repos"]] == ["local"]
    entries = [hook["entry"].split()[:2] for hook in config["repos"][0]["hooks"]]
    assert entries == [
        [".venv/bin/ruff", "format"],
        [".venv/bin/ruff", "check"],
        [".venv/bin/mypy"],
        [".venv/bin/lint-imports"],
    ]


def _lock() -> list[str]:
    """Give the lock's blocks: a package at a version, its marker, its checksums."""
    return re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text().strip())


def test_the_lock_pins_all_that_the_project_asks_for_and_says_no_address() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = pyproject["project"]
    asked = [*pyproject["build-system"]["requires"], *project["dependencies"]]
    asked += [text for extra in project["optional-dependencies"].values() for text in extra]
    pins = [re.match(r"([\w.-]+)==(\S+)", block) for block in _lock()]
    assert all(pins)
    versions = [(canonicalize_name(pin[1]), pin[2]) for pin in pins if pin]
    for requirement in map(Requirement, asked):
        if requirement.name != project["name"]:
            pinned = [version for name, version in versions if name == canonicalize_name(requirement.name)]
            assert pinned, f"{requirement} is not pinned: make lock"
            assert all(map(requirement.specifier.contains, pinned)), str(requirement)
    assert "://" not in (ROOT / "requirements.lock").read_text()


def test_everything_in_the_lock_has_its_checksum() -> None:
    assert all("--hash=sha256:" in block for block in _lock())


@pytest.mark.xdist_group("alone")
def test_pytest_xdist_heeds_groups(request: pytest.FixtureRequest) -> None:
    """It knows a group by the end of a test's name; where that fails it says nothing."""
    if request.config.getoption("loadgroup", default=False):
        assert request.node.nodeid.endswith("@alone")
