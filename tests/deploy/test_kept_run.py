"""What a broker keeps of the run before."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from deploy.kept_place import KEPT_RUNS, data_directory, keep, settle
from deploy.kept_run import KeptRun, check_continues, fresh_prefix, read_kept_runs, run_key, write_kept_runs
from schemas.errors import StopAndSayError
from schemas.settings import Settings

RUN = KeptRun(topic_prefix="", source="replay", interval="1d", start="2010-01-04")


def test_kept_runs_are_read_as_they_were_written(tmp_path: Path) -> None:
    runs = {"local": RUN, "kafka.example:9092 a-": replace(RUN, topic_prefix="a-", tickers=("AAPL", "MSFT"), loop=True)}
    write_kept_runs(tmp_path / "var" / "run.json", runs)
    assert read_kept_runs(tmp_path / "var" / "run.json") == runs


def test_nothing_is_kept_at_first(tmp_path: Path) -> None:
    assert read_kept_runs(tmp_path / "run.json") == {}


def test_a_damaged_file_is_said_and_not_guessed_at(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"local": {"source"')
    with pytest.raises(StopAndSayError, match=r"run\.json is damaged .*--fresh"):
        read_kept_runs(tmp_path / "run.json")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"source": "simulated"}, "source replay, not simulated"),
        ({"start": "2011-01-03"}, "start 2010-01-04, not 2011-01-03"),
        ({"interval": "1h"}, "interval 1d, not 1h"),
        ({"tickers": ("AAPL", "IBM")}, "tickers all, not AAPL,IBM"),
        ({"loop": True}, "loop off, not on"),
        ({"source": "file:/x.csv", "start": None}, "source replay, not file:/x.csv, start 2010-01-04, not unset"),
    ],
)
def test_another_option_over_kept_data_is_refused_in_one_line_that_names_fresh(
    changed: dict[str, object], said: str
) -> None:
    with pytest.raises(StopAndSayError) as refused:
        check_continues(RUN, replace(RUN, **changed))
    assert said in str(refused.value)
    assert "--fresh" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_same_options_continue_whatever_the_prefix() -> None:
    check_continues(replace(RUN, topic_prefix="r20260101-"), RUN)


def test_the_first_run_takes_the_prefix_of_the_settings(tmp_path: Path) -> None:
    place = settle(tmp_path, "local", replace(RUN, topic_prefix="mine-"), fresh=False)
    assert (place.run.topic_prefix, place.continues, place.replaced) == ("mine-", False, None)


def test_the_next_run_continues_and_a_fresh_one_replaces_it_and_is_continued_in_turn(tmp_path: Path) -> None:
    keep(tmp_path, settle(tmp_path, "local", RUN, fresh=False))
    assert settle(tmp_path, "local", RUN, fresh=False).continues
    fresh = settle(tmp_path, "local", replace(RUN, source="simulated"), fresh=True)
    assert fresh.run.topic_prefix.startswith("r2")
    assert fresh.replaced == RUN
    keep(tmp_path, fresh)
    assert settle(tmp_path, "local", replace(RUN, source="simulated"), fresh=False).run == fresh.run
    with pytest.raises(StopAndSayError, match="--fresh"):
        settle(tmp_path, "local", RUN, fresh=False)


def test_brokers_and_prefixes_keep_runs_of_their_own(tmp_path: Path) -> None:
    keep(tmp_path, settle(tmp_path, "local", RUN, fresh=False))
    other = replace(RUN, source="simulated")
    for broker, prefix in (("kafka.example:9092", ""), ("local", "b-")):
        keep(tmp_path, settle(tmp_path, broker, replace(other, topic_prefix=prefix), fresh=False))
    assert settle(tmp_path, "local", RUN, fresh=False).run == RUN
    assert set(read_kept_runs(tmp_path / KEPT_RUNS)) == {"local", "local b-", "kafka.example:9092"}


def test_a_key_names_broker_and_prefix() -> None:
    assert run_key("local", "") == "local"
    assert run_key("a:1", "x-") == "a:1 x-"


def test_a_fresh_prefix_is_one_that_settings_allow_and_no_second_has_twice() -> None:
    first, second = (fresh_prefix("mine-", datetime(2026, 1, 2, 3, 4, second, tzinfo=UTC)) for second in (5, 6))
    assert first == "mine-r20260102-030405-"
    assert first != second
    assert Settings(topic_prefix=first, _env_file=None).topic_prefix == first


def test_a_prefix_that_leaves_no_room_for_fresh_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    settle(tmp_path, "local", replace(RUN, topic_prefix="x" * 47), fresh=True)
    with pytest.raises(
        StopAndSayError, match=r"^TICKCAST_TOPIC_PREFIX x+: for --fresh it must be 1 characters shorter"
    ):
        settle(tmp_path, "local", replace(RUN, topic_prefix="x" * 48), fresh=True)


def test_every_log_has_its_own_tables(tmp_path: Path) -> None:
    folders = {
        data_directory(tmp_path, broker, prefix)
        for broker in ("local", "127.0.0.1:9092", "embedded")
        for prefix in ("", "a-", "r20260102-030405-")
    }
    assert len(folders) == 9
    assert all(folder.parent == tmp_path / "feature_stream" for folder in folders)
