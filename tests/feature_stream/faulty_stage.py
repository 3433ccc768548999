"""`python -m tests.feature_stream.faulty_stage FAULT NUMBER`: the stage, with a fault at the NUMBER-th ticker's state.

The fault happens where the state is about to go to the changelog, after all checks and after it is in the local store.

- `refused`: the broker does not take it.
- `killed`: what was sent before arrives, and the process dies.
- `stopped`: the process is stopped; continued, it sends the state before any watchdog has its turn.
- `mute`: from now on the group hears no heartbeat, and the consumer believes that it does.

One needs no state to happen, and has the NUMBER 0:

- `slow`: what a recovery has asked for is here long before it listens.
"""

import asyncio
import os
import runpy
import signal
import sys
import time
from typing import Any

from feature_stream import service, transport
from feature_stream.outputs import Outputs
from feature_stream.table import is_partition_key, offset_of
from schemas.topics import TICKER_STATES_CHANGELOG

_ALONE_SECONDS = 0.5
_SLOW_SECONDS = 0.2


class FaultyOutputs(Outputs):
    """Sends all but one record as it should."""

    fault = ""
    number = 0
    muted = False

    def send(self, topic: Any, key: Any, value: Any, **options: Any) -> None:
        """Send a record, or do the fault."""
        if topic is TICKER_STATES_CHANGELOG and not is_partition_key(key):
            FaultyOutputs.number -= 1
            if FaultyOutputs.number == 0:
                sys.stderr.write(f"fault: {self.fault} {key.decode()} {offset_of(value)}\n")
                getattr(self, f"_{self.fault}")(topic, key, value, options)
                return
        super().send(topic, key, value, **options)

    def _refused(self, topic: Any, _key: Any, value: Any, options: dict[str, Any]) -> None:
        super().send(topic, None, value, **options)  # compacted topics take no record without a key

    def _killed(self, *_: Any) -> None:
        self.flush(10.0)
        os.kill(os.getpid(), signal.SIGKILL)

    def _stopped(self, topic: Any, key: Any, value: Any, options: dict[str, Any]) -> None:
        sys.setswitchinterval(_ALONE_SECONDS)
        os.kill(os.getpid(), signal.SIGSTOP)
        super().send(topic, key, value, **options)
        until = time.monotonic() + _ALONE_SECONDS
        while time.monotonic() < until:  # the client's own threads send
            pass

    def _mute(self, topic: Any, key: Any, value: Any, options: dict[str, Any]) -> None:
        FaultyOutputs.muted = True
        super().send(topic, key, value, **options)


class FaultyThread(transport.ConsumerThread):
    """Sends heartbeats until it is mute, and is slow to say that it has sought."""

    async def on_start(self) -> None:
        """Start, and come between the group and its heartbeats."""
        await super().on_start()
        coordinator = self._ensure_consumer()._coordinator
        send_heartbeat = coordinator._do_heartbeat

        async def send_or_pretend() -> bool:
            return FaultyOutputs.muted or await send_heartbeat()

        coordinator._do_heartbeat = send_or_pretend

    async def _seek_wait(self, consumer: Any, partitions: Any) -> None:
        await super()._seek_wait(consumer, partitions)
        if FaultyOutputs.fault == "slow":
            await asyncio.sleep(_SLOW_SECONDS)


if __name__ == "__main__":
    FaultyOutputs.number = int(sys.argv.pop())
    FaultyOutputs.fault = sys.argv.pop()
    vars(service)["Outputs"] = FaultyOutputs
    transport.ConsumerThread = FaultyThread  # type: ignore[misc]
    runpy.run_module("feature_stream", run_name="__main__")
