"""Where to read each partition of the two logs from: after what its state holds."""

import logging
from collections.abc import Mapping

from faust.types import TP

from feature_stream.continuity import Continuity
from feature_stream.outcomes.desk import Desk
from feature_stream.outcomes.figures import SettleFigures
from feature_stream.outcomes.live import LiveSettling
from feature_stream.turns import Side
from schemas.errors import StopAndSayError

_log = logging.getLogger(__name__)


def start_positions(
    desk: Desk, figures: SettleFigures, topics: Mapping[Side, str], earliest: Mapping[TP, int], ends: Mapping[TP, int]
) -> dict[TP, int]:
    """Say where to read each partition from.

    Args:
        desk: As it was read back from the table.
        figures: Where losses are counted.
        topics: Full names.
        earliest: First offset that each log still has.
        ends: Offset after the last one.

    Raises:
        StopAndSayError: A state stands beyond a log's end: it is another log.
    """
    positions = {}
    for partition, live in desk.partitions.items():
        if all(lane.continuity is None for lane in live.lanes.values()):
            _go_back(live)
        for side, lane in live.lanes.items():
            tp = TP(topics[side], partition)
            if tp not in ends:
                continue  # it came while the broker was asked, and is asked for again
            wanted = live.offset(side) + 1 if lane.continuity is None else lane.continuity.next_offset
            if wanted > ends[tp]:
                raise StopAndSayError(
                    f"{side.value}-{partition} ends at {ends[tp]}, before the state's offset {wanted}: "
                    "this is another log; start with another TICKCAST_TOPIC_PREFIX (`--fresh`)"
                )
            if lane.continuity is None:
                if 0 < wanted < earliest[tp]:
                    _log.error("%s-%d: %d records are gone from the log", side.value, partition, earliest[tp] - wanted)
                    figures.lost(earliest[tp] - wanted)
                lane.continuity = Continuity(max(wanted, earliest[tp]))
            lane.paused = False  # an assignment begins without
            positions[tp] = lane.continuity.next_offset
    return positions


def _go_back(live: LiveSettling) -> None:
    """Read the logs again for tickers whose newest kept ledger is lost; all others pass over what they have."""
    behind = live.record.behind(live.ledgers)
    if behind:
        names = sorted(ledger.ticker for ledger in behind)
        _log.error("partition %d: the changelog lost the newest ledgers of %s", live.record.partition, names[:10])
        live.record.go_back_for(behind)
