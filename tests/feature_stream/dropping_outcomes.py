"""`python -m tests.feature_stream.dropping_outcomes SHARE`: the service, with readers that lose fetched records.

As in `dropping_stage`: it happens to this share of them, the first time that they are fetched.
"""

import random
import runpy
import sys
from collections import deque
from typing import Any

from feature_stream.outcomes import transport
from feature_stream.tick_client import TickRecord
from feature_stream.tick_reader import Batch, TickReader


class DroppingConsumer(transport.SourcesConsumer):
    """Hands on what it has fetched, all but a share."""

    share = 0.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._rng, self._lost = random.Random(7), set[tuple[str, int, int]]()

    async def _hand_on_from(self, reader: TickReader, batch: Batch, partition: int, records: deque[TickRecord]) -> None:
        kept = deque(record for record in records if not self._loses(reader.topic, record))
        if kept:
            await super()._hand_on_from(reader, batch, partition, kept)

    def _loses(self, topic: str, record: TickRecord) -> bool:
        place = (topic, record.partition, record.offset)
        if place in self._lost or self._rng.random() >= self.share:
            return False
        self._lost.add(place)
        return True


if __name__ == "__main__":
    DroppingConsumer.share = float(sys.argv.pop())
    transport.SourcesTransport.Consumer = DroppingConsumer
    runpy.run_module("feature_stream.outcomes", run_name="__main__")
