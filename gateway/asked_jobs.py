"""The newest commands that were asked for, by their ids and by the keys they came with. No Kafka here."""

from collections import OrderedDict
from typing import Generic, Protocol, TypeVar

from gateway.job_ids import REMEMBERED_SECONDS, digests_in
from schemas.times import NS_PER_SECOND

#: Commands that are remembered, the newest.
MOST_JOBS = 1_000
#: The topics hold a command for so long; a gateway that was started later knows no older ones.
JOB_SECONDS = 7 * 86_400
_LONGEST_ID = 200
_LONGEST_TEXT = 1_000

Kept = TypeVar("Kept")


class AskedFor(Protocol):
    """What is kept of a command."""

    @property
    def id(self) -> str:
        """Give the job's name."""

    @property
    def asked_ns(self) -> int:
        """Give when it was asked for."""


Command = TypeVar("Command", bound=AskedFor)


class AskedJobs(Generic[Command]):
    """The newest commands of one topic."""

    def __init__(self) -> None:
        self._asked: OrderedDict[str, Command] = OrderedDict()
        self._by_key: dict[str, str] = {}

    def add(self, asked: Command) -> None:
        """Take a command as the newest."""
        if digests := digests_in(asked.id):
            self._by_key[digests[0]] = asked.id
        gone = keep(self._asked, asked.id, asked, MOST_JOBS)
        if gone is not None and (digests := digests_in(gone)) and self._by_key.get(digests[0]) == gone:
            del self._by_key[digests[0]]

    def get(self, job_id: str, now_ns: int) -> Command | None:
        """Give a command; None where none is known by this name."""
        asked = self._asked.get(job_id)
        return None if asked is None or _age_seconds(asked, now_ns) > JOB_SECONDS else asked

    def of_key(self, of_key: str, now_ns: int) -> str | None:
        """Give the id of the job that a key was used for within the last 24 hours."""
        asked = self._asked.get(self._by_key.get(of_key, ""))
        return None if asked is None or _age_seconds(asked, now_ns) > REMEMBERED_SECONDS else asked.id


def is_askable(job_id: str) -> bool:
    """Tell whether somebody may ask for a job of this name: no longer one is ours."""
    return len(job_id) <= _LONGEST_ID


def short(text: str) -> str:
    """Cut what others have written to what is worth its memory."""
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"


def keep(kept: OrderedDict[str, Kept], name: str, value: Kept, most: int) -> str | None:
    """Keep a value as the newest; give the name of the one that went for it."""
    kept[name] = value
    kept.move_to_end(name)
    return kept.popitem(last=False)[0] if len(kept) > most else None


def _age_seconds(asked: AskedFor, now_ns: int) -> float:
    return (now_ns - asked.asked_ns) / NS_PER_SECOND
