"""The `tickcast` command."""

import importlib.util
import os
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.cli import COMMANDS, main
from deploy.running_env import only_run, write_running_env
from schemas import VERSION
from schemas.errors import EXIT_STOP_AND_SAY, StopAndSayError


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[str, list[str]]]:
    """Catch what would be started: the module and its arguments."""
    calls: list[tuple[str, list[str]]] = []

    def run_module(module: str, **_: Any) -> None:
        calls.append((module, sys.argv[1:]))

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runpy, "run_module", run_module)
    monkeypatch.setattr(sys, "argv", sys.argv)
    return calls


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_starts_a_module_that_exists_with_the_same_arguments(
    name: str, started: list[tuple[str, list[str]]]
) -> None:
    words = ["--some", "argument"] if COMMANDS[name].takes_arguments else []
    main([name, *words])
    assert started == [(COMMANDS[name].module, words)]
    found = importlib.util.find_spec(COMMANDS[name].module)
    assert found is not None
    if found.submodule_search_locations is not None:
        assert importlib.util.find_spec(f"{COMMANDS[name].module}.__main__") is not None


@pytest.mark.parametrize("name", [name for name, command in COMMANDS.items() if not command.takes_arguments])
@pytest.mark.parametrize(("word", "code"), [("--help", 0), ("--port", 2), ("status", 2)])
def test_a_command_without_arguments_says_so_and_starts_nothing(
    name: str, word: str, code: int, started: list[tuple[str, list[str]]]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, word])
    assert ended.value.code == code
    assert started == []


@pytest.mark.parametrize("word", ["train", "ensure"])
def test_the_predictor_says_what_its_training_takes(
    word: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", sys.argv)
    with pytest.raises(SystemExit) as ended:
        main(["predictor", word, "--help"])
    assert ended.value.code == 0
    assert "--seed" in capsys.readouterr().out


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text and command.summary in text for name, command in COMMANDS.items())


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"tickcast {VERSION}\n"


@pytest.mark.parametrize("words", [[], ["nonsense"]])
def test_an_unknown_command_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "adopts"), [("topics", True), ("run", False)])
def test_every_command_but_run_finds_the_running_system(
    name: str, adopts: bool, started: list[tuple[str, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKCAST_URL", "remembered, so that the change is undone")
    monkeypatch.delenv("TICKCAST_URL")
    with only_run(Path("var")):
        write_running_env(Path("var"), {"TICKCAST_URL": "http://127.0.0.1:8000"})
        main([name])
    assert (os.environ.pop("TICKCAST_URL", None) is not None) is adopts


@pytest.mark.parametrize(
    ("words", "interval"),
    [
        ([], "1h"),
        (["--source", "file:a.csv"], "1h"),
        (["--source=file:a.csv"], "1h"),
        (["--source", "file:b.csv"], None),
        (["--source=replay"], None),
        (["--source"], "1h"),
    ],
)
def test_training_agrees_with_what_runs_unless_it_names_another_source(
    words: list[str], interval: str | None, started: list[tuple[str, list[str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TICKCAST_SOURCE", "TICKCAST_INTERVAL"):
        monkeypatch.setenv(name, "remembered, so that the change is undone")
        monkeypatch.delenv(name)
    with only_run(Path("var")):
        told = {"TICKCAST_SOURCE": f"file:{Path.cwd()}/a.csv", "TICKCAST_INTERVAL": "1h"}
        write_running_env(Path("var"), told)
        main(["predictor", "train", *words])
    assert os.environ.get("TICKCAST_INTERVAL") == interval
    assert started == [("predictor", ["train", *words])]


def test_a_command_that_stops_and_says_why_exits_with_78(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise StopAndSayError("no broker")

    monkeypatch.setattr(runpy, "run_module", refuse)
    monkeypatch.setattr(sys, "argv", sys.argv)
    with pytest.raises(SystemExit) as ended:
        main(["topics"])
    assert ended.value.code == EXIT_STOP_AND_SAY
    assert capsys.readouterr().err == "topics: no broker\n"
