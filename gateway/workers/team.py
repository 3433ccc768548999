"""The workers that share a port, as one of them sees them."""

import asyncio
from collections.abc import Callable
from ctypes import Array, c_ubyte
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from gateway.workers.metrics import together

#: A worker that has not answered another one by then is done without.
ANSWER_SECONDS = 1.0
#: What one worker asks the others: for their metrics, or by its id for a job.
METRICS = "metrics"
#: What it answers of a job that it had.
FORGOTTEN = b"forgotten"
_LONGEST_QUESTION = 200
_LOOK_EVERY_SECONDS = 0.05


class State(IntEnum):
    """Of one worker: it has not been ready yet, died after it was, or is."""

    NEW = 0
    GONE = 1
    READY = 2


@dataclass(frozen=True)
class Post:
    """A worker's place.

    Attributes:
        number: From 1.
        states: Of all workers, in memory that all share.
        folder: Where each has a socket for the others.
    """

    number: int
    states: "Array[c_ubyte]"
    folder: Path

    def socket_of(self, number: int) -> Path:
        """Give where a worker answers the others."""
        return self.folder / f"{number}.sock"


class Team:
    """What a worker says to the others, and asks of them; without a post it is alone."""

    def __init__(self, post: Post | None = None) -> None:
        self._post = post

    @property
    def number(self) -> int | None:
        """Give which worker this is; None where it is alone."""
        return None if self._post is None else self._post.number

    @property
    def is_ready(self) -> bool:
        """Tell whether every worker has been ready; while one that died is started again, the others serve."""
        return self._post is None or all(self._post.states)

    def note_ready(self) -> None:
        """Tell the others that this worker has what it needs."""
        if self._post is not None:
            self._post.states[self._post.number - 1] = State.READY

    async def turn_to_serve(self, stopped: Callable[[], bool]) -> None:
        """Return at once where no other worker is ready; else once this one is, so that no client comes too early."""
        while self._post is not None and not stopped():
            own = self._post.states[self._post.number - 1]
            if own == State.READY or State.READY not in list(self._post.states):
                return
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def answer(self, answer: Callable[[str], bytes]) -> None:
        """Answer the others' questions, until cancelled; nothing stands for: I do not know."""
        if self._post is None:
            await asyncio.Event().wait()
            return

        async def give(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(answer((await reader.read(_LONGEST_QUESTION)).decode()))
            writer.close()

        path = self._post.socket_of(self._post.number)
        path.unlink(missing_ok=True)  # of the one before
        async with await asyncio.start_unix_server(give, path) as server:
            await server.serve_forever()

    async def metrics(self, own: bytes) -> bytes:
        """Give the metrics of all workers; alone, its own as they are."""
        if self._post is None:
            return own
        answers = {self._post.number: own} | await self.ask_others(METRICS)
        return together(dict(sorted(answers.items())))

    async def ask_others(self, question: str) -> dict[int, bytes | None]:
        """Give what each other worker answers; None where it does not in time."""
        if self._post is None:
            return {}
        others = [number for number in range(1, len(self._post.states) + 1) if number != self._post.number]
        answers = await asyncio.gather(*(_ask(self._post.socket_of(number), question) for number in others))
        return dict(zip(others, answers, strict=True))


async def _ask(path: Path, question: str) -> bytes | None:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                writer.write(question.encode("ascii", "replace")[:_LONGEST_QUESTION])
                return await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError):  # it is being started again
        return None
