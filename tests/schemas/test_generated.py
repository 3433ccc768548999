import json
from pathlib import Path

import jsonschema
import pytest

from schemas.generate import ROOM, generated_files, main, stale_files
from schemas.json_schemas import DIALECT, MESSAGE_TYPES, json_schemas, split_docstring
from schemas.symbols import TICKER_PATTERN
from schemas.topics import TOPICS

SCHEMAS = dict(json_schemas())


def test_committed_files_are_up_to_date() -> None:
    assert stale_files(ROOM, generated_files()) == [], "run `python -m schemas.generate`"


def test_generating_twice_gives_the_same_bytes() -> None:
    assert generated_files() == generated_files()


def test_check_names_what_is_stale_and_missing_and_left_over_and_generating_heals_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0
    (tmp_path / "json/Bar.schema.json").write_text("{}")
    (tmp_path / "json/Gone.schema.json").write_text("{}")
    (tmp_path / "asyncapi.yaml").unlink()
    capsys.readouterr()
    assert main(["--check"], tmp_path) == 1
    said = capsys.readouterr().out
    assert [line.split(":")[0] for line in said.splitlines()] == [
        "schemas/asyncapi.yaml",
        "schemas/json/Bar.schema.json",
        "schemas/json/Gone.schema.json",
    ]
    assert (tmp_path / "json/Gone.schema.json").exists(), "a check writes nothing"
    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0


def test_check_reports_a_field_that_the_released_schema_had(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--freeze"], tmp_path) == 0
    released = tmp_path / "released/Bar.schema.json"
    schema = json.loads(released.read_text())
    schema["properties"]["vwap"] = {"type": "number"}
    released.write_text(json.dumps(schema))
    (tmp_path / "released/Gone.schema.json").write_text("{}")
    capsys.readouterr()
    assert main(["--check"], tmp_path) == 1
    assert capsys.readouterr().out.splitlines() == ["Bar.vwap: is gone; keep it", "Gone: is gone; keep it"]


def test_freezing_replaces_the_released_schemas(tmp_path: Path) -> None:
    (tmp_path / "released").mkdir()
    (tmp_path / "released/Gone.schema.json").write_text("{}")
    main(["--freeze"], tmp_path)
    assert sorted(path.name for path in (tmp_path / "released").iterdir()) == sorted(SCHEMAS)


def test_every_event_of_the_topics_table_has_a_schema() -> None:
    assert {f"{topic.event.__name__}.schema.json" for topic in TOPICS if topic.event} <= SCHEMAS.keys()


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_valid_draft_2020_12_and_points_only_into_itself(name: str) -> None:
    schema = SCHEMAS[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == DIALECT
    assert schema["$id"] == f"urn:tickcast:schema:{name.removesuffix('.schema.json')}"
    references = [line.split('"')[3] for line in json.dumps(schema, indent=1).splitlines() if '"$ref"' in line]
    assert {reference.rpartition("/")[2] for reference in references} == set(schema.get("$defs", {}))


@pytest.mark.parametrize("message_type", MESSAGE_TYPES, ids=lambda message_type: message_type.__name__)
def test_every_type_says_what_it_is(message_type: type) -> None:
    assert SCHEMAS[f"{message_type.__name__}.schema.json"]["description"]


def test_descriptions_come_from_the_docstrings() -> None:
    bar = SCHEMAS["Bar.schema.json"]
    assert bar["description"] == "A closed OHLCV bar, `[start_ns, end_ns)`."
    assert bar["properties"]["partial"]["description"].startswith("Ticks were lost while the bar was open")
    assert "Nanoseconds since 1970" in bar["properties"]["start_ns"]["description"]
    assert bar["properties"]["start_ns"]["format"] == "int64"


def test_symbols_have_their_pattern_and_only_a_scoreboard_speaks_of_all() -> None:
    assert SCHEMAS["Bar.schema.json"]["properties"]["ticker"]["pattern"] == TICKER_PATTERN
    assert SCHEMAS["TickFrame.schema.json"]["properties"]["tickers"]["items"]["pattern"] == TICKER_PATTERN
    board = jsonschema.Draft202012Validator(SCHEMAS["Scoreboard.schema.json"]["properties"]["ticker"])
    assert [board.is_valid(text) for text in ("*", "AAPL", "aapl", "**", "*A")] == [True, True, False, False, False]
    assert "pattern" not in SCHEMAS["Subscribe.schema.json"]["properties"]["tickers"]["items"]


def test_a_docstring_is_split_into_the_whole_and_its_attributes() -> None:
    text = """One thing.

    And more.

    Attributes:
        first: Of the first,
            on two lines: yes.
        second: Short.
    """
    whole, attributes = split_docstring(text)
    assert whole == "One thing. And more."
    assert attributes == {"first": "Of the first, on two lines: yes.", "second": "Short."}
