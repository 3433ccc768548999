"""In a recovery the highest offset wins, wherever it stands in the changelog."""

from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock, Mock

import faust
import pytest
from faust.types import TP

from feature_stream.table import (
    ForeignWriteError,
    StateTable,
    offset_of,
    partition_key,
    snapshot_of,
    state_table,
    with_offset,
)

CHANGELOG = TP("a-test-ticker-states-changelog", 1)


@pytest.fixture
def table() -> StateTable:
    app = faust.App("a-test", broker="kafka://127.0.0.1:1", store="memory://", datadir="var/never-written")
    return state_table(app, Mock(), 4, Mock())


def _save(table: StateTable, *offsets: int) -> list[int]:
    """Save states of which the changelog's records get the given offsets; give where RocksDB would begin again."""
    table._data = MagicMock()
    event = MagicMock(**{"message.partition": CHANGELOG.partition})
    outputs: Any = table.outputs
    for offset in offsets:
        table.save(event, b"A", with_offset(offset, b"state"))
        outputs.send.call_args.kwargs["on_stored"](offset)
    return [call.args[1] for call in table.data.set_persisted_offset.call_args_list]


def _changelog_event(key: bytes, value: bytes) -> Any:
    return SimpleNamespace(key=key, value=value, message=SimpleNamespace(value=value, partition=0))


def test_an_old_state_written_late_does_not_replace_a_newer_one(table: StateTable) -> None:
    table.apply_changelog_batch(
        [
            _changelog_event(b"AAPL", with_offset(7, b"old")),
            _changelog_event(b"AAPL", with_offset(90, b"new")),
            _changelog_event(b"AAPL", with_offset(8, b"zombie")),
        ]
    )
    table.apply_changelog_batch([_changelog_event(b"AAPL", with_offset(50, b"zombie too"))])
    assert snapshot_of(table.data[b"AAPL"]) == b"new"


def test_a_state_at_the_same_offset_replaces(table: StateTable) -> None:
    table.apply_changelog_batch(
        [_changelog_event(b"A", with_offset(7, b"1")), _changelog_event(b"A", with_offset(7, b"2"))]
    )
    assert snapshot_of(table.data[b"A"]) == b"2"


def test_the_envelope_keeps_offset_and_snapshot() -> None:
    value = with_offset(-1, b"snapshot")
    assert (offset_of(value), snapshot_of(value)) == (-1, b"snapshot")
    assert partition_key(3) == b"@3"


def test_a_key_whose_last_record_is_an_old_state_is_to_be_written_again(table: StateTable) -> None:
    table.apply_changelog_batch(
        [_changelog_event(b"A", with_offset(9, b"new")), _changelog_event(b"A", with_offset(2, b"old"))]
    )
    assert table.outlived == {b"A"}
    table.apply_changelog_batch([_changelog_event(b"A", with_offset(10, b"newer"))])
    assert table.outlived == set()


def test_a_recovery_that_fails_is_told_of_because_faust_would_wait_for_ever(table: StateTable) -> None:
    full = OSError("no space left on device")
    table._data = Mock(**{"get.return_value": None, "apply_changelog_batch.side_effect": full})
    with pytest.raises(OSError, match="no space"):
        table.apply_changelog_batch([_changelog_event(b"A", with_offset(7, b"1"))])
    table.recovery_failed.assert_called_once_with(full)  # type: ignore[attr-defined]


def test_own_records_that_follow_one_another_are_fine(table: StateTable) -> None:
    table.expect_from({CHANGELOG: 6})
    assert _save(table, 7, 8, 9) == [7, 8, 9]
    table.require_alone()


def test_a_record_of_ours_whose_offset_the_broker_no_longer_knows_is_counted(table: StateTable) -> None:
    table.expect_from({CHANGELOG: 6})
    assert _save(table, 7, -1001, 9) == [7, 9]
    table.require_alone()


@pytest.mark.parametrize("offsets", [(8,), (7, 9), (7, -1001, 8)])
def test_a_record_of_another_writer_between_ours_is_noticed_and_rocksdb_reads_it_when_it_begins_again(
    table: StateTable, offsets: tuple[int, ...]
) -> None:
    table.expect_from({CHANGELOG: 6})
    assert offsets[-1] not in _save(table, *offsets)
    with pytest.raises(ForeignWriteError, match=f"our record is at {offsets[-1]}, not at"):
        table.require_alone()


def test_the_count_begins_again_with_each_recovery(table: StateTable) -> None:
    table.expect_from({CHANGELOG: 6})
    _save(table, 7)
    table.expect_from({CHANGELOG: 50})
    _save(table, 51)
    table.require_alone()
