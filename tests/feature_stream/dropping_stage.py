"""`python -m tests.feature_stream.dropping_stage`: the stage, with a consumer that loses fetched records.

Faust's consumer does that where a rebalance comes between fetching and handing on; here it happens to about every
tenth record, the first time that it is fetched.
"""

import random
import runpy
from typing import Any

from feature_stream import transport
from schemas.topics import TICKS


class DroppingConsumer(transport.Consumer):
    """Hands on what it has fetched, mostly."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hand_on: Any = self.callback  # type: ignore[has-type]
        rng, lost = random.Random(7), set[tuple[int, int]]()

        async def drop_or_hand_on(message: Any) -> None:
            place = (message.partition, message.offset)
            if message.topic.endswith(TICKS.name) and place not in lost and rng.random() < 0.1:
                lost.add(place)
            else:
                await hand_on(message)

        self.callback = drop_or_hand_on


if __name__ == "__main__":
    transport.Transport.Consumer = DroppingConsumer
    runpy.run_module("feature_stream", run_name="__main__")
