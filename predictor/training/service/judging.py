"""The challenger's turn: when its shadow is looked at, and what follows."""

import logging
import time

from predictor.training.service.desk import Desk
from predictor.training.service.job import Job
from predictor.training.service.next_state import FoundSet
from predictor.training.service.verdict import Attempted, after_shadow, to_be_judged

_log = logging.getLogger(__name__)
#: All outcomes are read for it, which costs seconds: the evidence is looked at no more often.
JUDGE_EVERY_SECONDS = 30.0


class Judging:
    """Judges the challenger when outcomes were settled."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._evidence_came = False
        self._next_at_seconds = 0.0

    def evidence_came(self) -> None:
        """Take note that outcomes were settled."""
        self._evidence_came = True

    def next_job(self) -> Job | None:
        """Give the job that looks at the evidence; None where it is not its time, or there is nobody to judge."""
        if not self._evidence_came or time.monotonic() < self._next_at_seconds:
            return None
        self._evidence_came = False
        self._next_at_seconds = time.monotonic() + JUDGE_EVERY_SECONDS
        past = self._desk.past
        if to_be_judged(past) is None:
            return None
        champion, challenger = self._desk.find(past.serving), self._desk.find(past.challenger)
        if not isinstance(champion, FoundSet) or not isinstance(challenger, FoundSet):
            _log.warning("the challenger cannot be judged: %s", champion if isinstance(champion, str) else challenger)
            return None
        return Job(
            champion=champion.name,
            champion_folder=str(champion.folder),
            challenger=challenger.name,
            challenger_folder=str(challenger.folder),
        )

    def ended(self, job: Job, attempted: Attempted) -> None:
        """Follow what the evidence says."""
        if attempted.failed:
            _log.warning("the challenger was not judged: %s", attempted.reason)
        desk, challenger = self._desk, self._desk.find(job.challenger)
        if challenger is not None:
            desk.follow(after_shadow(desk.past, attempted, challenger, desk.now_ns()), None)
