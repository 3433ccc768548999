"""What the README says is so."""

import ast
import io
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from deploy.cli import COMMANDS
from deploy.first_prediction import greet
from deploy.log_lines import Log
from deploy.run_options import RunSettings
from feature_stream.settings import FeatureStreamSettings
from gateway.settings import GatewaySettings
from ingestor.settings import IngestorSettings
from ingestor.sources.file_description import describe_file
from predictor.training.settings import TrainingSettings
from schemas.settings import ENV_PREFIX, Settings
from schemas.topics import TOPICS, Cleanup, Topic
from tests.docs.documents import README, code_blocks, table_rows

ALL_SETTINGS: tuple[type[Settings], ...] = (
    Settings,
    IngestorSettings,
    FeatureStreamSettings,
    TrainingSettings,
    GatewaySettings,
    RunSettings,
)
#: Written by `tickcast run` for people; no service reads it.
WRITTEN_FOR_PEOPLE = {"TICKCAST_URL"}
_DAY_MS = 86_400_000


def setting_defaults() -> dict[str, str]:
    """Give the default of every setting as one would write it; the service's own where a run has none."""
    return {
        f"{ENV_PREFIX}{name.upper()}": _text(field.default)
        for settings_type in reversed(ALL_SETTINGS)
        for name, field in settings_type.model_fields.items()
    }


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def kept(topic: Topic) -> str:
    """Say how long a topic keeps its records, as the README says it."""
    if topic.cleanup is Cleanup.COMPACT:
        return "the latest of each key"
    days = None if topic.retention_ms is None else topic.retention_ms // _DAY_MS
    age = [] if days is None else [f"{days} day{'' if days == 1 else 's'}"]
    return ", ".join(age + ["4 GiB a partition"] * topic.bounded) or "for ever"


def test_the_table_of_topics_is_that_of_the_code() -> None:
    rows = table_rows(README, "topic")
    assert [row[0] for row in rows] == [f"`{topic.name}`" for topic in TOPICS]
    for topic, (_, key, value, how_long, writers) in zip(TOPICS, rows, strict=True):
        assert key == topic.key
        assert topic.description.rstrip(".").lower() in value.lower()
        assert topic.event is None or value.startswith(f"`{topic.event.__name__}`: ")
        assert how_long == kept(topic)
        assert writers == topic.written_by


def test_topics_said_to_have_cloud_events_are_those_that_have() -> None:
    (sentence,) = re.findall(r"([^.]*) carry \[CloudEvents\]", README.replace("\n", " "))
    assert set(re.findall(r"`([a-z-]+)`", sentence)) == {topic.name for topic in TOPICS if topic.cloud_events}


def test_every_variable_named_is_a_setting() -> None:
    named = set(re.findall(rf"\b{ENV_PREFIX}[A-Z_]*[A-Z]\b", README))
    assert len(named) > 20
    assert named <= setting_defaults().keys() | WRITTEN_FOR_PEOPLE


def test_the_defaults_in_the_table_are_those_of_the_code() -> None:
    defaults = setting_defaults()
    rows = table_rows(README, "variable")
    assert len(rows) > 20
    for variable, default, _ in rows:
        assert default.strip("`") == defaults[variable.strip("`")], variable


def test_families_of_variables_exist() -> None:
    families = re.findall(r"`([A-Z_]+_)\*`", README)
    assert families
    for family in families:
        assert family.startswith(ENV_PREFIX)
        assert any(name.startswith(family) for name in setting_defaults()), family


def test_every_command_is_in_the_table_and_every_row_a_command() -> None:
    assert [row[0].strip("`") for row in table_rows(README, "`.venv/bin/tickcast …`")] == list(COMMANDS)


@pytest.mark.parametrize("block", code_blocks(README, "python"))
def test_a_python_example_compiles_and_is_short(block: str) -> None:
    tree = ast.parse(block)
    assert len([line for line in block.splitlines() if line.strip()]) <= 14
    compile(tree, "README.md", "exec")


def test_there_is_a_python_example_for_the_websocket_one_for_the_client_and_one_for_kafka() -> None:
    websocket, client, kafka = code_blocks(README, "python")
    assert "/ws/predictions" in websocket
    assert "gateway.client" in client
    assert "confluent_kafka" in kafka


def test_the_answer_shown_is_of_the_shape_that_people_are_promised() -> None:
    (shown,) = (json.loads(block) for block in code_blocks(README, "json"))
    number, text = {"type": "number"}, {"type": "string"}
    word = {"price_target": number, "confidence": number, "direction": {"enum": ["bullish", "bearish", "neutral"]}}
    promised = {
        "required": ["ticker", "current_price", "prediction", "timestamp"],
        "properties": {
            "ticker": text,
            "current_price": number,
            "timestamp": {"type": "string", "pattern": "Z$"},
            "prediction": {"required": list(word), "properties": word},
        },
    }
    jsonschema.Draft202012Validator(promised).validate(shown)


async def test_the_lines_that_greet_are_those_of_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fetch(url: str) -> tuple[int, bytes]:
        (shown,) = (json.loads(block) for block in code_blocks(README, "json"))
        prediction = shown | {"updated_at": "2026-01-02T03:04:05Z", "degraded": None}
        return 200, json.dumps({"predictions": [prediction]}).encode()

    monkeypatch.setattr("deploy.readiness.fetch", fetch)
    stream = io.StringIO()
    await greet("http://127.0.0.1:8000", Log(stream, colour=False), since_ns=0)
    hello, _, how = (re.sub(r" \d\d:\d\d:\d\d ", " HH:MM:SS ", line) for line in stream.getvalue().splitlines())
    shown = re.sub(r" \d\d:\d\d:\d\d ", " HH:MM:SS ", README)
    assert f"\n{hello}\n" in shown
    assert f"\n{how}\n" in shown


def test_the_first_screen_says_what_it_is_how_to_start_it_and_what_one_will_see() -> None:
    screen = "\n".join(README.splitlines()[:40])
    for word in ("make run", "make test", "REST", "WebSocket", "Kafka", "http://127.0.0.1:8000/", "```text"):
        assert word in screen


def test_the_files_shown_are_understood(tmp_path: Path) -> None:
    bars, ticks = code_blocks(README, "csv")
    (tmp_path / "bars.csv").write_text(bars)
    (tmp_path / "ticks.csv").write_text(ticks)
    described_bars, described_ticks = (describe_file(str(tmp_path / f"{kind}.csv")) for kind in ("bars", "ticks"))
    assert (described_bars.kind, described_bars.interval, described_bars.tickers) == ("bars", "1d", 2)
    assert (described_bars.first, described_bars.last) == ("2024-01-02T00:00:00Z", "2024-01-03T00:00:00Z")
    assert (described_ticks.kind, described_ticks.first, described_ticks.last) == (
        "ticks",
        "2024-01-02T14:30:00.125Z",
        "2024-01-02T14:30:00.250Z",
    )


def test_it_says_what_it_is_not() -> None:
    assert "Not investment advice" in README
    assert "It forgets" in README
