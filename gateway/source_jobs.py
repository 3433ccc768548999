"""What became of the commands to sources, by what their ingestors say: every gateway says the same. No Kafka here."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from gateway.asked_jobs import MOST_JOBS, AskedJobs, is_askable, keep, short
from gateway.presentation import time_text
from schemas.events import CommandProgress, CommandState, ServiceStatus, SourceAction, SourceCommand
from schemas.public import Time

_NOBODY = "no ingestor that plays this source has reported lately: the command waits for one"
_FORGOTTEN = "answered; what the ingestor said is no longer known"
#: Of the last word on a command.
_SAID = {CommandState.RUNNING, CommandState.DONE, CommandState.REFUSED}


class SourceJob(Struct, frozen=True, kw_only=True):
    """A command to a source, and what became of it.

    Attributes:
        status: `queued` until the ingestor has read it, `running` until the provider sends what it brings, `refused`
            with the reason where it is not to be done.
        message: What the ingestor says of it.
        asked_by: `api/` and the id of the caller's key, or who else asked for it.
    """

    job: str
    action: SourceAction
    status: CommandState
    progress: Annotated[float, Meta(ge=0, le=1)]
    message: str
    asked_by: str
    asked_at: Time
    source: str
    tickers: list[str]


class _Asked(Struct, frozen=True):
    """What is kept of a command; the offset is known once it was read."""

    id: str
    command: SourceCommand
    asked_at: str
    asked_ns: int
    offset: int | None


class SourceJobsView:
    """The newest commands of `source-commands`, beside what ingestors say of them."""

    def __init__(self) -> None:
        self._asked: AskedJobs[_Asked] = AskedJobs()
        self._said: OrderedDict[str, CommandProgress] = OrderedDict()

    def asked(self, command: SourceCommand, offset: int | None = None) -> None:
        """Take a command, when it is asked for or when it is read.

        Raises:
            UndecodableError: Its time cannot be said at the edge; nothing changed.
        """
        asked_at = time_text(command.requested_at_ns)
        if is_askable(command.id):
            self._asked.add(_Asked(command.id, command, asked_at, command.requested_at_ns, offset))

    def told(self, status: ServiceStatus) -> None:
        """Take what an ingestor says."""
        for progress in status.commands if status.sources else ():
            if is_askable(progress.id) and progress.state in _SAID:
                keep(self._said, progress.id, progress, MOST_JOBS)

    def of_key(self, of_key: str, now_ns: int) -> str | None:
        """Give the id of the job that a key was used for within the last 24 hours."""
        return self._asked.of_key(of_key, now_ns)

    def find(self, job_id: str, ingestors: Sequence[ServiceStatus], now_ns: int) -> SourceJob | None:
        """Give a job; None where none is known by this name.

        Args:
            ingestors: What those that run say of themselves.
        """
        asked = self._asked.get(job_id, now_ns)
        if asked is None:
            return None
        status, message = self._standing(asked, ingestors)
        return SourceJob(
            job=asked.id,
            action=asked.command.action,
            status=status,
            progress=1.0 if status in (CommandState.DONE, CommandState.REFUSED) else 0.0,
            message=short(message),
            asked_by=short(asked.command.requested_by),
            asked_at=asked.asked_at,
            source=short(asked.command.source),
            tickers=asked.command.tickers,
        )

    def _standing(self, asked: _Asked, ingestors: Sequence[ServiceStatus]) -> tuple[CommandState, str]:
        said = self._said.get(asked.id)
        if said is not None:
            return CommandState(said.state), said.message
        sources = [source for status in ingestors for source in status.sources if source.source == asked.command.source]
        if asked.offset is not None and any(asked.offset < source.commands_before for source in sources):
            return CommandState.DONE, _FORGOTTEN
        return CommandState.QUEUED, "" if sources else _NOBODY
