"""Checkpoints: outputs first, then states, then the partition's record, then the group's offset."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from faust.types import TP

from feature_stream.figures import StageFigures
from feature_stream.membership import Membership
from feature_stream.outputs import Outputs
from feature_stream.stage import Cut, Kept, LivePartition, Stage
from feature_stream.state import PartitionState, TickerState
from feature_stream.table import StateTable, is_partition_key, partition_key, snapshot_of, with_offset
from feature_stream.worker_figures import WorkerFigures
from schemas.errors import RetryError
from schemas.partitioning import partition_of

_log = logging.getLogger(__name__)
#: A few milliseconds' work, after which all else that is due has its turn.
_STATES_AT_A_STRETCH = 200

CommitOffsets = Callable[[Mapping[TP, int]], Awaitable[None]]


class Cuttable(Protocol):
    """What holds live state: the feature stage, or the desk where predictions are settled."""

    @property
    def partitions(self) -> Mapping[int, Any]:
        """Give what is held, by partition."""
        ...

    def cut(self, partition: int) -> Cut | None:
        """Take the snapshots of all of a partition that changed since its last cut; None if nothing did."""
        ...


class HasPartition(Protocol):
    """A partition's own record."""

    partition: int


Record = TypeVar("Record", bound=HasPartition)
Ticker = TypeVar("Ticker")


@dataclass(frozen=True)
class KeptPartition(Generic[Record, Ticker]):
    """What the table has of a partition.

    Attributes:
        record: Its own; None: nothing was kept yet.
        outlived: The tickers that must be written again, as `StateTable.outlived` says.
    """

    partition: int
    record: Record | None
    tickers: dict[str, Ticker]
    outlived: set[str]


class CheckpointError(RetryError):
    """An earlier checkpoint was not kept whole: only the table knows what is kept, the process must begin again."""


class CheckpointWriter(ABC):
    """Write what is held to the table, what was said before it acknowledged first."""

    def __init__(
        self,
        held: Cuttable,
        table: StateTable,
        outputs: Outputs,
        membership: Membership,
        figures: WorkerFigures,
        partitions: int,
    ) -> None:
        self._held = held
        self._table = table
        self._outputs = outputs
        self._membership = membership
        self._figures = figures
        self._partitions = partitions
        self._one_at_a_time = asyncio.Lock()
        self._broken = False

    def give_up(self) -> None:
        """Write no more: live state and outputs may no longer agree."""
        self._broken = True

    async def write(self, commit_offsets: CommitOffsets) -> None:
        """Write one checkpoint of all that changed.

        Raises:
            LostPlaceError: Another worker may own the partitions: nothing more was written.
            DeliveryError: The broker did not take a record.
            ForeignWriteError: Another process wrote into the changelog.
            CheckpointError: An earlier one failed or was cancelled, or the stage gave up, also meanwhile.
        """
        async with self._one_at_a_time:
            try:
                self._require_whole()
                cuts = [cut async for cut in self._cuts()]
                if cuts:
                    await self._keep(cuts)
            except BaseException:  # a cancelled one too: no later cut has what these have
                self._broken = True
                raise
            if cuts:
                await commit_offsets({tp: offset for cut in cuts for tp, offset in self._next_offsets(cut).items()})

    @abstractmethod
    def _next_offsets(self, cut: Cut) -> Mapping[TP, int]:
        """Give what the group's committed offsets should say once a cut is kept."""

    async def _cuts(self) -> AsyncIterator[Cut]:
        """Cut partition by partition: ticks are absorbed between two of them."""
        for partition in list(self._held.partitions):
            self._require_whole()
            cut = self._held.cut(partition)
            if cut is not None:
                yield cut
                await asyncio.sleep(0)

    def _require_whole(self) -> None:
        if self._broken:
            raise CheckpointError("a checkpoint was not kept whole, or what is live may not be")

    async def _keep(self, cuts: list[Cut]) -> None:
        parts = self._figures.checkpoint_part_seconds
        with self._figures.checkpoint_seconds.time():
            with parts.labels("outputs").time():
                await self._outputs.settled(self._outputs.next_epoch())
            with parts.labels("states").time():
                await self._save(cuts, lambda cut: cut.tickers)
            with parts.labels("records").time():
                await self._save(cuts, lambda cut: [(partition_key(cut.partition), cut.offset, cut.record)])

    def _kept(
        self, assigned: set[int], record_of: Callable[[bytes], Record], ticker_of: Callable[[bytes], Ticker]
    ) -> Iterator[KeptPartition[Record, Ticker]]:
        """Read what the table has of the assigned partitions, one after the other; the arguments restore snapshots."""
        tickers: dict[int, dict[str, Ticker]] = {partition: {} for partition in assigned}
        records: dict[int, Record] = {}
        for key, value in self._table.items():
            if is_partition_key(key):
                record = record_of(snapshot_of(value))
                records[record.partition] = record
                continue
            ticker = key.decode()
            home = partition_of(ticker, self._partitions)
            if home in assigned:
                tickers[home][ticker] = ticker_of(snapshot_of(value))
        for partition in sorted(assigned):
            outlived = {ticker for ticker in tickers[partition] if ticker.encode() in self._table.outlived}
            yield KeptPartition(partition, records.get(partition), tickers[partition], outlived)

    async def _save(self, cuts: list[Cut], part: Callable[[Cut], list[Kept]]) -> None:
        for cut in cuts:
            for number, (key, offset, snapshot) in enumerate(part(cut), start=1):
                self._membership.require(cut.generation)  # each time: the process may be stopped between any two
                self._table.save(cut.event, key, with_offset(offset, snapshot))
                if number % _STATES_AT_A_STRETCH == 0:
                    await asyncio.sleep(0)
                    self._require_whole()
        await self._outputs.settled(self._outputs.next_epoch())
        self._table.require_alone()


class Checkpointer(CheckpointWriter):
    """The stage's: it reads back after a recovery too."""

    def __init__(
        self,
        stage: Stage,
        table: StateTable,
        outputs: Outputs,
        membership: Membership,
        figures: StageFigures,
        *,
        ticks_topic: str,
        partitions: int,
    ) -> None:
        super().__init__(stage, table, outputs, membership, figures, partitions)
        self._stage = stage
        self._ticks_topic = ticks_topic

    def _next_offsets(self, cut: Cut) -> Mapping[TP, int]:
        return {TP(self._ticks_topic, cut.partition): cut.offset + 1}

    def load(self, assigned: set[int]) -> None:
        """Replace the stage's live state by what the table has of the assigned partitions."""
        self._stage.drop_all()
        for kept in self._kept(assigned, PartitionState.restore, TickerState.restore):
            record = kept.record or PartitionState(kept.partition)
            live = LivePartition(record, kept.tickers, self._membership.generation)
            live.dirty = kept.outlived
            self._stage.own(kept.partition, live)
            _log.info("partition %d: %d tickers, offset %d", kept.partition, len(kept.tickers), record.offset)
