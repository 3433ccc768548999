"""`var/running.env`: how other commands find the running system."""

import subprocess
from pathlib import Path

import pytest
from dotenv import dotenv_values

from deploy.running_env import (
    RUNNING_ENV,
    adopt_running_env,
    only_run,
    read_running_env,
    remove_running_env,
    runs,
    write_running_env,
)
from schemas.errors import StopAndSayError

VARIABLES = {
    "TICKCAST_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:22336",
    "TICKCAST_TOPIC_PREFIX": "r20260102-030405-",
    "TICKCAST_URL": "http://127.0.0.1:8000",
}


def _adopted(tmp_path: Path, **stated: str) -> dict[str, str]:
    environment = dict(stated)
    adopt_running_env(tmp_path / "var", tmp_path / ".env", environment)
    return environment


def test_other_commands_take_what_the_running_system_says(tmp_path: Path) -> None:
    with only_run(tmp_path / "var"):
        write_running_env(tmp_path / "var", VARIABLES)
        assert _adopted(tmp_path) == VARIABLES


@pytest.mark.parametrize(
    "path", ["/my $prices/a b.csv", "/o'brien/a.csv", "/${HOME}/a.csv", r"/a\\b.csv", '/a"b.csv', "/#1/ä.csv"]
)
def test_values_of_any_kind_reach_commands_and_shells_whole(path: str, tmp_path: Path) -> None:
    told = VARIABLES | {"TICKCAST_SOURCE": f"file:{path}", "TICKCAST_TICKERS": ""}
    with only_run(tmp_path / "var"):
        write_running_env(tmp_path / "var", told)
        assert _adopted(tmp_path) == told
    script = '. ./running.env && printf %s "$TICKCAST_SOURCE"'
    shell = subprocess.run(["sh", "-c", script], cwd=tmp_path / "var", capture_output=True, text=True, check=True)
    assert shell.stdout == told["TICKCAST_SOURCE"]


def test_readers_of_env_files_find_the_broker_and_the_prefix(tmp_path: Path) -> None:
    write_running_env(tmp_path, VARIABLES | {"TICKCAST_TOPIC_PREFIX": ""})
    read = dotenv_values(tmp_path / RUNNING_ENV)
    assert read["TICKCAST_KAFKA_BOOTSTRAP_SERVERS"] == VARIABLES["TICKCAST_KAFKA_BOOTSTRAP_SERVERS"]
    assert read["TICKCAST_TOPIC_PREFIX"] == ""


@pytest.mark.parametrize(
    ("named", "adopted"),
    [(None, {"SOURCE", "INTERVAL"}), ("file:/a.csv", {"SOURCE", "INTERVAL"}), ("replay", set())],
)
def test_a_command_that_names_another_source_takes_the_place_and_not_what_is_played(
    named: str | None, adopted: set[str], tmp_path: Path
) -> None:
    environment: dict[str, str] = {}
    played = {"TICKCAST_SOURCE": "file:/a.csv", "TICKCAST_INTERVAL": "1h"}
    with only_run(tmp_path / "var"):
        write_running_env(tmp_path / "var", VARIABLES | played)
        adopt_running_env(tmp_path / "var", tmp_path / ".env", environment, source=named)
    assert environment.keys() == VARIABLES.keys() | {f"TICKCAST_{name}" for name in adopted}


def test_the_environment_and_the_env_file_win(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TICKCAST_TOPIC_PREFIX=mine-\n")
    with only_run(tmp_path / "var"):
        write_running_env(tmp_path / "var", VARIABLES)
        adopted = _adopted(tmp_path, TICKCAST_URL="http://127.0.0.1:9")
    assert adopted == {
        "TICKCAST_KAFKA_BOOTSTRAP_SERVERS": VARIABLES["TICKCAST_KAFKA_BOOTSTRAP_SERVERS"],
        "TICKCAST_URL": "http://127.0.0.1:9",
    }


def test_whoever_names_another_broker_is_told_nothing_of_this_one(tmp_path: Path) -> None:
    with only_run(tmp_path / "var"):
        write_running_env(tmp_path / "var", VARIABLES)
        elsewhere = {"TICKCAST_KAFKA_BOOTSTRAP_SERVERS": "kafka.example:9092"}
        assert _adopted(tmp_path, **elsewhere) == elsewhere


def test_a_file_that_a_killed_system_left_is_not_believed(tmp_path: Path) -> None:
    with only_run(tmp_path / "var"):
        write_running_env(tmp_path / "var", VARIABLES)
    assert (tmp_path / "var" / RUNNING_ENV).exists()
    assert not runs(tmp_path / "var")
    assert _adopted(tmp_path) == {}


def test_what_a_killed_system_left_does_not_count_again_with_the_next_one(tmp_path: Path) -> None:
    write_running_env(tmp_path, VARIABLES)
    with only_run(tmp_path):
        assert runs(tmp_path)
        assert read_running_env(tmp_path) == {}


def test_whoever_reads_meanwhile_sees_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    write_running_env(tmp_path, VARIABLES)
    with (tmp_path / RUNNING_ENV).open() as reader:
        write_running_env(tmp_path, {"TICKCAST_URL": "http://127.0.0.1:9"})
        assert VARIABLES["TICKCAST_URL"] in reader.read()
    assert read_running_env(tmp_path) == {"TICKCAST_URL": "http://127.0.0.1:9"}


def test_the_security_of_the_running_broker_goes_with_its_address(tmp_path: Path) -> None:
    security = {"TICKCAST_KAFKA_SECURITY_PROTOCOL": "PLAINTEXT"}
    (tmp_path / ".env").write_text("TICKCAST_KAFKA_SECURITY_PROTOCOL=SASL_SSL\n")
    with only_run(tmp_path / "var"):
        write_running_env(tmp_path / "var", VARIABLES | security)
        assert _adopted(tmp_path) == VARIABLES | security


@pytest.mark.parametrize("var", ["file", "file/var"])
def test_a_folder_that_cannot_be_made_is_said_in_one_line(var: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(StopAndSayError, match=r"^the folder .*file.* cannot be used: \w[^\n]+$"),
        only_run(tmp_path / var),
    ):
        pass


def test_nothing_runs_where_nothing_ever_ran(tmp_path: Path) -> None:
    assert not runs(tmp_path / "var")
    assert _adopted(tmp_path) == {}


def test_a_second_system_in_the_same_folder_is_refused_with_the_address_of_the_first(tmp_path: Path) -> None:
    with only_run(tmp_path):
        write_running_env(tmp_path, VARIABLES)
        with (
            pytest.raises(StopAndSayError, match=r"already \(http://127\.0\.0\.1:8000\): stop it first"),
            only_run(tmp_path),
        ):
            pass
        assert runs(tmp_path)
    with only_run(tmp_path):
        pass


def test_the_file_goes_with_the_system(tmp_path: Path) -> None:
    write_running_env(tmp_path, VARIABLES)
    remove_running_env(tmp_path)
    remove_running_env(tmp_path)
    assert not (tmp_path / RUNNING_ENV).exists()
