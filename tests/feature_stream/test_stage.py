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
    [_, traceparent] = _taken([("traceparent", TRACE.encode())]).send_features.call_args.args
    assert traceparent == TRACE


@pytest.mark.parametrize("value", [None, b"", b"\xff", b"no trace", TRACE.encode() + b"\n"])
def test_a_trace_that_is_none_does_no_harm_and_a_new_one_begins(value: bytes | None) -> None:
    [features, traceparent] = _taken([("traceparent", value)]).send_features.call_args.args
    assert features.current_price == 1.0
    assert traceparent.startswith("00-")
    assert len(traceparent) == len(TRACE)


def test_a_source_too_long_for_every_partitions_record_is_a_dead_letter() -> None:
    assert not _taken(None, "s" * 255).send_dead_letter.called
    [letter] = _taken(None, "s" * 256).send_dead_letter.call_args.args
    assert "`source` has 256 characters" in letter.reason


class Paced:
    """A stage of two partitions that speaks of a ticker at most once a second, by a clock of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        clock = SimpleNamespace(monotonic=lambda: self.now, time_ns=lambda: 5)
        monkeypatch.setattr("feature_stream.stage.time", clock)
        self.outputs, self.figures = MagicMock(), MagicMock()
        self.stage = Stage(StageRules(interval="1m", partitions=2), self.outputs, 1_000, self.figures)
        self.next_offset = [0, 0]
        for number in (0, 1):
            self.stage.own(number, LivePartition(PartitionState(number), {}, 1, Continuity(0)))

    def take(self, partition: int, tickers: str, trace: str) -> None:
        """Take one tick of each ticker; its price is the record's offset, and 1."""
        offset = self.next_offset[partition]
        self.next_offset[partition] += 1
        value = encode(frame([(ticker, 0, offset + 1, 1) for ticker in tickers], sequence=offset))
        headers = [("traceparent", trace.encode())]
        record = SimpleNamespace(
            partition=partition, offset=offset, value=value, headers=headers, key=None, timestamp=0
        )
        self.stage.take(SimpleNamespace(message=SimpleNamespace(partition=partition)), [record])

    def said(self) -> list[tuple[str, float, str]]:
        """Give (ticker, price, trace) of what was said since the last call."""
        calls = [call.args for call in self.outputs.send_features.call_args_list]
        self.outputs.send_features.reset_mock()
        return [(features.ticker, features.current_price, trace) for features, trace in calls]


OTHER, LATER = TRACE.replace("0af", "1af"), TRACE.replace("0af", "2af")


def test_what_is_due_of_all_partitions_is_said_at_its_turn_with_the_traces_of_the_newest_ticks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paced = Paced(monkeypatch)
    paced.take(0, "AB", TRACE)
    paced.take(1, "D", TRACE)
    assert paced.said() == [("A", 1.0, TRACE), ("B", 1.0, TRACE), ("D", 1.0, TRACE)]
    paced.now += 0.5
    paced.take(0, "BA", OTHER)
    paced.take(1, "DE", LATER)
    assert paced.said() == [("E", 2.0, LATER)]
    assert paced.stage.oldest_unsaid_seconds() == 0.5
    paced.stage.speak_due()
    assert paced.said() == []
    paced.now += 0.5
    paced.stage.speak_due()
    assert sorted(paced.said()) == [("A", 2.0, OTHER), ("B", 2.0, OTHER), ("D", 2.0, LATER)]
    assert [len(call.args[0]) for call in paced.figures.spoke.call_args_list] == [2, 1, 1, 2, 1]


def test_headers_are_kept_of_the_last_frames_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feature_stream.stage._FRAMES_WITH_HEADERS", 2)
    paced = Paced(monkeypatch)
    for tickers in ("A", "A", "B", "B"):
        paced.take(0, tickers, TRACE)
    paced.said()
    paced.now += 1.0
    paced.stage.speak_due()
    [(_, _, of_a), (_, _, of_b)] = sorted(paced.said())
    assert of_b == TRACE
    assert of_a != TRACE


def test_of_partitions_that_were_taken_away_nothing_more_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    paced = Paced(monkeypatch)
    for _ in range(2):
        paced.take(0, "A", TRACE)
    paced.stage.drop_all()
    paced.said()
    paced.now += 9
    paced.stage.speak_due()
    assert paced.said() == []
    assert paced.stage.oldest_unsaid_seconds() == 0.0
