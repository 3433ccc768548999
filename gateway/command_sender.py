"""Commands, each sent and waited for: what is not acknowledged in time is sent no more."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from confluent_kafka import Producer

from gateway.settings import GatewaySettings
from schemas.errors import RetryError
from schemas.events import ModelCommand, SourceCommand
from schemas.producers import send_and_wait
from schemas.topics import MODEL_COMMANDS, SOURCE_COMMANDS

#: After which nothing is sent any more, and after which the caller is told so.
_SEND_SECONDS = 1.7
_ANSWER_SECONDS = 1.9
_LEAST_SECONDS = 0.05
#: Commands that are sent at a time; others wait, and their time goes on.
_THREADS = 2


def _quick_producer(config: dict[str, Any]) -> Producer:
    """Make a producer that waits for no id of its own, half a second or more: a command read twice is answered once."""
    return Producer(config | {"enable.idempotence": False})


class CommandSender:
    """Sends with a client of its own for each command: one that lived on would send what nobody waits for any more."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._client_id = f"tickcast-gateway-{settings.instance}-commands"
        self._threads = ThreadPoolExecutor(_THREADS, "commands")

    async def send(self, command: ModelCommand | SourceCommand) -> None:
        """Send a command, and wait until the broker has it.

        Raises:
            RetryError: The broker did not take it in time.
            TimeoutError: Others took all the time.
        """
        until_s = time.monotonic() + _SEND_SECONDS
        async with asyncio.timeout(_ANSWER_SECONDS):
            await asyncio.get_running_loop().run_in_executor(self._threads, self._send, command, until_s)

    def close(self) -> None:
        """Take no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _send(self, command: ModelCommand | SourceCommand, until_s: float) -> None:
        left_seconds = until_s - time.monotonic()
        if left_seconds < _LEAST_SECONDS:
            raise RetryError("the commands before it took all the time")
        of_models = isinstance(command, ModelCommand)
        send_and_wait(
            self._settings,
            self._client_id,
            MODEL_COMMANDS if of_models else SOURCE_COMMANDS,
            command.scope if isinstance(command, ModelCommand) else command.source,
            command,
            producer_client=_quick_producer,
            within_seconds=left_seconds,
        )
