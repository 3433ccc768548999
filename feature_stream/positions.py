"""Where to read each partition from: after what its state holds, or from the beginning where a state is lost."""

import logging
from collections.abc import Mapping

from feature_stream.continuity import Continuity
from feature_stream.figures import StageFigures
from feature_stream.stage import LivePartition, Stage
from feature_stream.state import PartitionState, mark_lost
from schemas.errors import StopAndSayError
from schemas.topics import TICKS

_log = logging.getLogger(__name__)


def start_positions(
    stage: Stage, figures: StageFigures, earliest: Mapping[int, int], ends: Mapping[int, int]
) -> dict[int, int]:
    """Say where to read each partition from.

    Args:
        stage: As it was read back from the table.
        figures: Where losses are counted.
        earliest: First offset that the log still has, by partition.
        ends: Offset after the last one.

    Raises:
        StopAndSayError: A state stands beyond the log's end: it is another log.
    """
    positions = {}
    for partition, live in stage.partitions.items():
        wanted = live.record.offset + 1 if live.continuity is None else live.continuity.next_offset
        if wanted > ends[partition]:
            raise StopAndSayError(
                f"{TICKS.name}-{partition} ends at {ends[partition]}, before the state's offset {wanted}: "
                "this is another log; start with another TICKCAST_TOPIC_PREFIX (`--fresh`)"
            )
        if live.continuity is None:
            figures.lost(_catch_up(live, earliest[partition]))
            live.continuity = Continuity(live.record.offset + 1 if live.record.offset >= 0 else earliest[partition])
            stage.pass_loss(partition, earliest[partition])
        positions[partition] = live.continuity.next_offset
    return positions


def _catch_up(live: LivePartition, first_offset: int) -> int:
    """Read the log again for tickers whose newest kept state is lost; all others pass over what they have.

    Returns:
        How many records those tickers miss for good.
    """
    record, states = live.record, live.states
    behind = record.behind(states)
    if not behind:
        record.keep_all(states)
        return 0
    _log.error("partition %d: the changelog lost the newest states of %s", record.partition, sorted(behind)[:10])
    live.record = PartitionState(record.partition, first_offset - 1, rules=record.rules, kept=record.kept)
    gone = {ticker: offset for ticker, offset in behind.items() if offset + 1 < first_offset}
    if not gone:
        return 0
    _log.error("partition %d: and their ticks before offset %d are gone", record.partition, first_offset)
    record.kept.update(gone)
    live.dirty.update(mark_lost({ticker: states[ticker] for ticker in gone if ticker in states}, first_offset))
    return first_offset - 1 - min(gone.values())
