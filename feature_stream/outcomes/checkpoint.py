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
from feature_stream.table import StateTable, is_partition_key, snapshot_of
from feature_stream.turns import Side
from schemas.partitioning import partition_of

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
        super().__init__(desk, table, outputs, membership, figures)
        self._desk = desk
        self._topics = topics
        self._partitions = partitions

    def _next_offsets(self, cut: Cut) -> Mapping[TP, int]:
        record = SettleRecord.restore(cut.record)
        offsets = {Side.BARS: record.bars_offset, Side.PREDICTIONS: record.predictions_offset}
        return {TP(self._topics[side], cut.partition): offset + 1 for side, offset in offsets.items()}

    def load(self, assigned: set[int]) -> None:
        """Replace what the desk holds by what the table has of the assigned partitions."""
        self._desk.drop_all()
        ledgers: dict[int, dict[str, TickerLedger]] = {partition: {} for partition in assigned}
        records: dict[int, SettleRecord] = {}
        for key, value in self._table.items():
            if is_partition_key(key):
                record = SettleRecord.restore(snapshot_of(value))
                records[record.partition] = record
                continue
            ticker = key.decode()
            home = partition_of(ticker, self._partitions)
            if home in assigned:
                ledgers[home][ticker] = TickerLedger.restore(snapshot_of(value))
        for partition in sorted(assigned):
            record = records.get(partition) or SettleRecord(partition)
            live = LiveSettling(record, ledgers[partition], self._membership.generation)
            live.dirty = {ticker for ticker in ledgers[partition] if ticker.encode() in self._table.outlived}
            self._desk.own(partition, live)
            _log.info(
                "partition %d: %d tickers, bars offset %d, predictions offset %d",
                *(partition, len(ledgers[partition]), record.bars_offset, record.predictions_offset),
            )
