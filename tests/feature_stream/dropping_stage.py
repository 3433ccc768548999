"""`python -m tests.feature_stream.dropping_stage SHARE`: the stage, with a consumer that loses fetched records.

Faust's consumer does that where a rebalance comes between fetching and handing on; here it happens to this share of
them, the first time that they are fetched.
"""

import random
import runpy
import sys
from typing import Any

from feature_stream import transport
from schemas.topics import TICKS


class DroppingConsumer(transport.Consumer):
    """Hands on what it has fetched, all but a share."""

    share = 0.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hand_on: Any = self.callback  # type: ignore[has-type]
        rng, lost = random.Random(7), set[tuple[int, int]]()

        async def drop_or_hand_on(message: Any) -> None:
            place = (message.partition, message.offset)
            if message.topic.endswith(TICKS.name) and place not in lost and rng.random() < self.share:
                lost.add(place)
            else:
                await hand_on(message)

        self.callback = drop_or_hand_on


if __name__ == "__main__":
    DroppingConsumer.share = float(sys.argv.pop())
    transport.Transport.Consumer = DroppingConsumer
    runpy.run_module("feature_stream", run_name="__main__")
