"""Checkpoints of the desk: what it holds, in the table and back."""

import logging
from collections.abc import Mapping

from faust.types import TP

from feature_stream.checkpoint import CheckpointWriter
from feature_stream.ledger import SettleRecord, TickerLedger
from feature_stream.membership import Membership
from feature_stream.outcomes.desk import Desk
from feature_stream.outcomes.figures import SettleFigures
from feature_stream.outcomes.live import LiveSettling
from feature_stream.outputs import Outputs
from feature_stream.stage import Cut
from feature_stream.table import StateTable
from feature_stream.turns import Side

_log = logging.getLogger(__name__)


class DeskCheckpointer(CheckpointWriter):
    """Write what the desk holds, and read it back after a recovery."""

    def __init__(
        self,
        desk: Desk,
        table: StateTable,
        outputs: Outputs,
        membership: Membership,
        figures: SettleFigures,
        *,
        topics: Mapping[Side, str],
        partitions: int,
    ) -> None:
        super().__init__(desk, table, outputs, membership, figures, partitions)
        self._desk = desk
        self._topics = topics

    def _next_offsets(self, cut: Cut) -> Mapping[TP, int]:
        record = SettleRecord.restore(cut.record)
        offsets = {Side.BARS: record.bars_offset, Side.PREDICTIONS: record.predictions_offset}
        return {TP(self._topics[side], cut.partition): offset + 1 for side, offset in offsets.items()}

    def load(self, assigned: set[int]) -> None:
        """Replace what the desk holds by what the table has of the assigned partitions."""
        self._desk.drop_all()
        for kept in self._kept(assigned, SettleRecord.restore, TickerLedger.restore):
            record = kept.record or SettleRecord(kept.partition)
            live = LiveSettling(record, kept.tickers, self._membership.generation)
            live.dirty = kept.outlived
            self._desk.own(kept.partition, live)
            _log.info(
                "partition %d: %d tickers, bars offset %d, predictions offset %d",
                *(kept.partition, len(kept.tickers), record.bars_offset, record.predictions_offset),
            )
