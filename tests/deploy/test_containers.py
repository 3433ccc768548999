"""The image and docker compose, which cannot be run here: held by what can be checked."""

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.cli import COMMANDS
from deploy.kafka.lock import locked_jars
from feature_stream.outcomes.settings import OutcomesSettings
from feature_stream.settings import FeatureStreamSettings
from gateway.recorder.settings import RecorderSettings
from gateway.settings import GatewaySettings
from ingestor.settings import IngestorSettings
from predictor.settings import PredictorSettings
from predictor.training.settings import TrainingSettings
from schemas import VERSION
from schemas.settings import Settings
from tests.deploy.service_settings import variables

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS: dict[str, type[Settings]] = {
    "topics": Settings,
    "ingestor": IngestorSettings,
    "feature_stream": FeatureStreamSettings,
    "predictor": PredictorSettings,
    "outcomes": OutcomesSettings,
    "recorder": RecorderSettings,
    "gateway": GatewaySettings,
    "trainer": TrainingSettings,
}
PINNED = re.compile(r"^[a-z0-9./-]+:v?[0-9]+\.[0-9]+[a-z0-9.-]*$")


def _dockerfile() -> list[tuple[str, str]]:
    text = (ROOT / "deploy" / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(instruction, rest) for instruction, _, rest in (line.partition(" ") for line in lines)]


def _arguments(instruction: str) -> list[str]:
    return [rest for name, rest in _dockerfile() if name == instruction]


def test_compose_starts_kafka_the_services_and_a_job() -> None:
    unasked = {name for name, service in SERVICES.items() if "profiles" not in service}
    assert unasked == {"kafka", "postgres", "redis", *OURS}


def test_prometheus_comes_where_it_is_asked_for_with_the_files_that_are_shipped() -> None:
    prometheus = SERVICES["prometheus"]
    assert prometheus["profiles"] == ["monitoring"]
    mounted = dict(volume.split(":")[:2] for volume in prometheus["volumes"] if volume.startswith("./"))
    assert mounted["./deploy/prometheus/rules"] == "/etc/prometheus/rules"
    [job] = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"]
    [targets] = job["file_sd_configs"][0]["files"]
    assert mounted["./deploy/prometheus/compose-targets.json"] == os.path.normpath(f"/etc/prometheus/{targets}")


def test_the_trainer_is_started_again_until_the_store_is_back_and_stays_ended_when_it_was_told_to() -> None:
    assert SERVICES["trainer"]["restart"] == "on-failure", "ADR 0010: a bound would be used up by a store that is away"


def test_images_are_pinned() -> None:
    images = {service["image"] for service in SERVICES.values()} | set(_arguments("FROM"))
    assert images
    assert all(PINNED.match(image) for image in images), images


def test_compose_runs_the_kafka_that_runs_here() -> None:
    [version] = {jar.version for jar in locked_jars() if jar.artifact.startswith("kafka_")}
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{version}"


def test_compose_and_make_build_the_same_image_of_this_version() -> None:
    printed = subprocess.run(
        ["make", "-n", "docker-build"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    words = shlex.split(printed)
    assert words[words.index("--tag") + 1] == f"tickcast:{VERSION}"
    for name in OURS:
        assert SERVICES[name]["image"] == f"tickcast:{VERSION}"
        assert SERVICES[name]["build"]["dockerfile"] == words[words.index("--file") + 1]


@pytest.mark.parametrize("name", OURS)
def test_every_variable_that_compose_sets_is_a_setting_of_that_service(name: str) -> None:
    set_here = set(SERVICES[name]["environment"])
    assert set_here <= variables(OURS[name])


@pytest.mark.parametrize("name", OURS)
def test_what_compose_sets_is_valid(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in SERVICES[name]["environment"].items():
        assert isinstance(value, str), f"{variable}: quote it"
        monkeypatch.setenv(variable, re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value))
    OURS[name](_env_file=None)


@pytest.mark.parametrize("name", OURS)
def test_every_command_of_compose_exists(name: str) -> None:
    command = SERVICES[name]["command"]
    assert command[0] in COMMANDS
    assert command[0] == {"feature_stream": "feature-stream", "trainer": "predictor"}.get(name, name)


def test_all_agree_on_interval_and_broker() -> None:
    shared = ("TICKCAST_KAFKA_BOOTSTRAP_SERVERS", "TICKCAST_INTERVAL")
    assert len({tuple(SERVICES[name]["environment"][variable] for variable in shared) for name in OURS}) == 1
    assert (
        SERVICES["trainer"]["environment"]["TICKCAST_SOURCE"] == SERVICES["ingestor"]["environment"]["TICKCAST_SOURCE"]
    )


def test_the_services_wait_for_the_topics_and_the_topics_for_kafka() -> None:
    assert "healthcheck" in SERVICES["kafka"]
    assert SERVICES["topics"]["depends_on"] == {"kafka": {"condition": "service_healthy"}}
    for name in set(OURS) - {"topics"}:
        assert SERVICES[name]["depends_on"]["topics"] == {"condition": "service_completed_successfully"}


def test_services_find_kafka_where_it_says_it_is() -> None:
    advertised = SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"].split(",")
    address = SERVICES["ingestor"]["environment"]["TICKCAST_KAFKA_BOOTSTRAP_SERVERS"]
    assert f"SERVICES://{address}" in advertised
    assert "MACHINE://127.0.0.1:9092" in advertised
    assert SERVICES["kafka"]["ports"] == ["127.0.0.1:9092:9092"]


def test_every_instance_has_a_name_that_outlives_its_container() -> None:
    names = [SERVICES[name]["environment"]["TICKCAST_INSTANCE"] for name in set(OURS) - {"topics"}]
    assert len(set(names)) == len(names) == 7


def test_volumes_are_declared() -> None:
    used = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())}
    assert {name for name in used if not name.startswith("./")} == set(COMPOSE["volumes"])
    assert all((ROOT / name).exists() for name in used if name.startswith("./"))


def test_the_job_that_ends_is_not_asked_for_its_health() -> None:
    assert SERVICES["topics"]["healthcheck"] == {"disable": True}
    assert all("healthcheck" not in SERVICES[name] for name in set(OURS) - {"topics"})


def test_the_trainer_shares_its_sets_with_the_predictor() -> None:
    assert SERVICES["trainer"]["command"] == ["predictor", "trainer"]
    assert SERVICES["trainer"]["volumes"][0] == SERVICES["predictor"]["volumes"][0]


def test_the_image_installs_with_the_commands_that_make_uses() -> None:
    make = [
        "make",
        "-n",
        "-B",
        ".venv/.installed",
        "PYTHON=python3",
        "EXTRAS=data page postgres redis rocksdb store train",
    ]
    printed = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    commands = {
        re.split(r" && | \|\| |; ", f"{line.strip()} ".replace("\\", ""))[0].strip() for line in printed.splitlines()
    }
    steps = [step for step in _arguments("RUN") if "venv" in step]
    assert len(steps) == 4
    assert set(steps) <= commands


def test_the_image_has_what_services_need_and_nothing_else() -> None:
    extras = set(re.findall(r"--extra (\w+)", " ".join(_arguments("RUN"))))
    assert extras == {"data", "page", "postgres", "redis", "rocksdb", "store", "train"}
    [packages] = re.findall(r"^PACKAGES := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    copied = {word for copy in _arguments("COPY") for word in copy.split()[1:-1]}
    assert copied == {*packages.split(), "requirements.lock", "pyproject.toml", "README.md", "LICENSE"}


def test_nothing_is_copied_that_dockerignore_keeps_out() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    copied = {word for copy in _arguments("COPY") for word in copy.split()[1:-1]}
    assert "*" in lines
    assert copied == allowed


def test_the_image_runs_as_user_1000_and_says_how_it_is() -> None:
    assert any("useradd --uid 1000 " in step for step in _arguments("RUN"))
    assert _arguments("USER") == ["tickcast"]
    [check] = _arguments("HEALTHCHECK")
    assert json.loads(check.partition("CMD ")[2]) == ["python", "-m", "deploy.healthcheck"]
    assert json.loads(_arguments("ENTRYPOINT")[0]) == ["tickcast"]


def test_the_gateway_is_open_because_it_is_published_on_this_machine_only() -> None:
    gateway = SERVICES["gateway"]
    assert gateway["environment"]["TICKCAST_OPEN_WITHOUT_AUTH"] == "true"
    assert gateway["ports"] == ["127.0.0.1:8000:8000"]
    database = "TICKCAST_DATABASE_URL"
    assert gateway["environment"][database] == SERVICES["recorder"]["environment"][database]
