"""One partition of the two logs, as a worker holds it."""

from dataclasses import dataclass, field
from typing import Any

from feature_stream.continuity import Continuity
from feature_stream.ledger import SettleRecord, TickerLedger
from feature_stream.turns import Side, Turns, Waiting


@dataclass
class Lane:
    """One of the two logs of one partition, as far as it was read.

    Attributes:
        newest_record_ms: Kafka's own time of the last record absorbed; None: none in this life, or it has none.
        paused: Nothing more is read of it for now.
    """

    continuity: Continuity | None = None
    newest_record_ms: int | None = None
    paused: bool = False


@dataclass
class LiveSettling:
    """One partition as this worker holds it, under one generation of the group.

    Attributes:
        event: The last Faust event taken of it; the table needs one to write.
        changed: Something was absorbed since the last checkpoint.
    """

    record: SettleRecord
    ledgers: dict[str, TickerLedger]
    generation: int
    turns: Turns = field(default_factory=Turns)
    lanes: dict[Side, Lane] = field(default_factory=lambda: {side: Lane() for side in Side})
    dirty: set[str] = field(default_factory=set)
    changed: bool = False
    event: Any = None

    def offset(self, side: Side) -> int:
        """Give the offset of the last record absorbed of a log; -1: none."""
        return self.record.bars_offset if side is Side.BARS else self.record.predictions_offset

    def advance(self, side: Side, waiting: Waiting) -> None:
        """Note that a record is absorbed."""
        if side is Side.BARS:
            self.record.bars_offset = waiting.offset
            self.record.barred_through = max(self.record.barred_through, waiting.place)
        else:
            self.record.predictions_offset = waiting.offset
            self.record.predicted_through = max(self.record.predicted_through, waiting.place)
        self.lanes[side].newest_record_ms = waiting.record.timestamp
        self.changed = True
