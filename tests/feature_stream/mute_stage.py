"""`python -m tests.feature_stream.mute_stage FAULT FILE`: the stage, with a fault for as long as the file is there.

drops     what is fetched of `ticks` is not handed on, and reading again does not help
hangs     nothing is fetched any more: only the broker itself can say that records wait
dies      the thread that fetches meets an error that nobody knows
recovers  a recovery reads nothing of the changelog
numb      no heartbeat goes to the group
"""

import runpy
import sys
from pathlib import Path
from typing import Any

from feature_stream import transport
from feature_stream.tick_reader import Batch, TickReader
from schemas.topics import TICKER_STATES_CHANGELOG, TICKS

FAULT, FILE = sys.argv[-2], Path(sys.argv[-1])


def _now(fault: str) -> bool:
    return fault == FAULT and FILE.exists()


class MuteConsumer(transport.Consumer):
    """Connected, and yet it brings nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        hand_on: Any = self.callback  # type: ignore[has-type]

        async def drop_or_hand_on(message: Any) -> None:
            if not (_now("drops") and message.topic.endswith(TICKS.name)):
                await hand_on(message)

        self.callback = drop_or_hand_on

    async def _wait_next_records(self, timeout: float) -> Any:
        records, active = await super()._wait_next_records(timeout)
        if records and _now("recovers"):
            records = {tp: read for tp, read in records.items() if TICKER_STATES_CHANGELOG.name not in tp.topic}
        return records, active


class FaultyReader(TickReader):
    """Gets no answer while the fault lasts, or dies."""

    def _read_some(self) -> Batch:
        batch = super()._read_some()
        while _now("hangs") and not self._ended.wait(0.05):
            self._obey()
        if _now("dies"):
            raise RuntimeError("the reader is dead")
        return batch


class NumbThread(transport.ConsumerThread):
    """Sends no heartbeat while the fault lasts, and thinks that all is well."""

    async def on_start(self) -> None:
        await super().on_start()
        coordinator = self._ensure_consumer()._coordinator
        beat = coordinator._do_heartbeat

        async def beat_or_not() -> bool:
            return True if _now("numb") else bool(await beat())

        coordinator._do_heartbeat = beat_or_not


if __name__ == "__main__":
    del sys.argv[-2:]
    transport.ConsumerThread = NumbThread  # type: ignore[misc]
    vars(transport)["TickReader"] = FaultyReader
    transport.Transport.Consumer = MuteConsumer
    runpy.run_module("feature_stream", run_name="__main__")
