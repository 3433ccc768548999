from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field, SecretStr, model_validator

from schemas.errors import StopAndSayError
from schemas.settings import Settings, load_settings, split_list


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take away the variables and the `.env` of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"TICKCAST_{name.upper()}", raising=False)


def test_silence_keeps_the_defaults() -> None:
    settings = load_settings(Settings)
    assert settings.kafka_bootstrap_servers == "127.0.0.1:9092"
    assert settings.horizons == (1, 5, 21)
    assert settings.partitions == 4
    assert settings.instance


def test_the_environment_is_above_the_env_file_and_what_is_given_above_both(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(
        "TICKCAST_PARTITIONS=7\nTICKCAST_INTERVAL=1m\nTICKCAST_TOPIC_PREFIX=file.\nOTHER=1\n"
    )
    monkeypatch.setenv("TICKCAST_PARTITIONS", "8")
    monkeypatch.setenv("TICKCAST_INTERVAL", "5m")
    settings = load_settings(Settings, partitions=9)
    assert (settings.partitions, settings.interval, settings.topic_prefix) == (9, "5m", "file.")


@pytest.mark.parametrize(("text", "horizons"), [("1", (1,)), ("1,5,21", (1, 5, 21)), (" 2 , 3 ,", (2, 3))])
def test_horizons_are_a_list(monkeypatch: pytest.MonkeyPatch, text: str, horizons: tuple[int, ...]) -> None:
    monkeypatch.setenv("TICKCAST_HORIZONS", text)
    assert load_settings(Settings).horizons == horizons


def test_split_list_leaves_what_is_a_list() -> None:
    assert split_list("a, b,,") == ["a", "b"]
    assert split_list((1, 2)) == (1, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PARTITIONS", "0"),
        ("PARTITIONS", "four"),
        ("INTERVAL", "1w"),
        ("HORIZONS", ","),
        ("HORIZONS", "5,1"),
        ("HORIZONS", "0,1"),
        ("HORIZONS", "1,1"),
        ("HORIZONS", "1,five"),
        ("TOPIC_PREFIX", "a b"),
        ("KAFKA_SECURITY_PROTOCOL", "TLS"),
        ("METRICS_PORT", "65536"),
        ("LOG_LEVEL", "loud"),
        ("INSTANCE", "a/b"),
    ],
)
def test_a_wrong_value_stops_with_one_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"TICKCAST_{name}", value)
    with pytest.raises(StopAndSayError, match=rf"^wrong settings: TICKCAST_{name}: .") as caught:
        load_settings(Settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["HORIZONS", "INSTANCE", "PARTITIONS", "KAFKA_BOOTSTRAP_SERVERS"])
def test_an_empty_value_is_the_default_as_in_the_example_file(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"TICKCAST_{name}", "")
    given = getattr(load_settings(Settings), name.lower())
    monkeypatch.delenv(f"TICKCAST_{name}")
    assert given == getattr(load_settings(Settings), name.lower())


def test_several_wrong_values_are_all_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKCAST_PARTITIONS", "0")
    monkeypatch.setenv("TICKCAST_INTERVAL", "1w")
    with pytest.raises(
        StopAndSayError, match=r"TICKCAST_PARTITIONS: .*; TICKCAST_INTERVAL: |INTERVAL: .*; .*PARTITIONS"
    ):
        load_settings(Settings)


class _WithToken(Settings):
    token: Annotated[SecretStr, Field(min_length=20)] = SecretStr("")


class _WithJson(Settings):
    tags: list[str] = Field(default_factory=list)


class _Contradiction(Settings):
    @model_validator(mode="after")
    def _check(self) -> "_Contradiction":
        raise ValueError("give one of the two")


def test_a_rule_over_several_variables_is_said_as_it_is() -> None:
    with pytest.raises(StopAndSayError, match=r"^wrong settings: give one of the two$"):
        load_settings(_Contradiction)


def test_a_value_that_cannot_be_read_at_all_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKCAST_TAGS", "not json")
    with pytest.raises(StopAndSayError, match="tags"):
        load_settings(_WithJson)


def test_secrets_are_never_shown_neither_by_settings_nor_by_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKCAST_KAFKA_SECURITY_PROTOCOL", "PLAINTEXT")
    monkeypatch.setenv("TICKCAST_KAFKA_SASL_PASSWORD", "hunter2")
    monkeypatch.setenv("TICKCAST_TOKEN", "swordfish")
    settings = load_settings(Settings)
    assert settings.kafka_sasl_password.get_secret_value() == "hunter2"
    with pytest.raises(StopAndSayError) as caught:
        load_settings(_WithToken)
    shown = f"{settings!r} {settings} {settings.model_dump()} {caught.value} {caught.value.__cause__}"
    assert "TICKCAST_TOKEN" in shown
    assert "hunter2" not in shown
    assert "swordfish" not in shown


def test_settings_do_not_change() -> None:
    settings = load_settings(Settings)
    with pytest.raises(ValueError, match="frozen"):
        settings.partitions = 5  # type: ignore[misc]
