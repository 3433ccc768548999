"""What the stage does with a record, beside what its frame says."""

from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest

from feature_stream.advance import StageRules
from feature_stream.continuity import Continuity
from feature_stream.stage import LivePartition, Stage
from feature_stream.state import PartitionState
from schemas.codec import encode
from tests.feature_stream.runs import frame

EVENT = SimpleNamespace(message=SimpleNamespace(partition=0))
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def _taken(headers: Any, source: str = "s") -> MagicMock:
    """Give the outputs after one record with a tick."""
    outputs = MagicMock()
    stage = Stage(StageRules(interval="1m", partitions=1), outputs, 0, MagicMock())
    stage.own(0, LivePartition(PartitionState(0), {}, 1, Continuity(0)))
    value = encode(frame([("A", 0, 1, 1)], source=source))
    record = SimpleNamespace(partition=0, offset=0, value=value, headers=headers, key=None, timestamp=0)
    assert not stage.take(EVENT, [record])
    return outputs


def test_a_records_trace_goes_on() -> None:
    [_, _, traceparent] = _taken([("traceparent", TRACE.encode())]).send_provisional.call_args.args
    assert traceparent == TRACE


@pytest.mark.parametrize("value", [None, b"", b"\xff", b"no trace", TRACE.encode() + b"\n"])
def test_a_trace_that_is_none_does_no_harm_and_a_new_one_begins(value: bytes | None) -> None:
    [features, _, traceparent] = _taken([("traceparent", value)]).send_provisional.call_args.args
    assert features.current_price == 1.0
    assert traceparent.startswith("00-")
    assert len(traceparent) == len(TRACE)


def test_a_source_too_long_for_every_partitions_record_is_a_dead_letter() -> None:
    assert not _taken(None, "s" * 255).send_dead_letter.called
    [letter] = _taken(None, "s" * 256).send_dead_letter.call_args.args
    assert "`source` has 256 characters" in letter.reason
