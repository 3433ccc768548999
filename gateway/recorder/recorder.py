"""The loop of the recorder: read, write rows and places in one transaction, read on."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from gateway.recorder.figures import Figures, Unrecorded
from gateway.recorder.gathering import Recorded, by_table, gather
from gateway.recorder.reading import RecordReader
from gateway.recorder.retention import delete_old
from gateway.recorder.settings import RecorderSettings
from gateway.recorder.telling import Teller
from gateway.recorder.writing import Batch, Place, Position, forget_all, read_positions, write
from schemas.dead_letters import DeadLetter

_log = logging.getLogger(__name__)
_READ_SECONDS = 0.25
_RETRY_SECONDS = 1.0
_LOOK_EVERY_SECONDS = 10.0
_CLEAN_EVERY_SECONDS = 60.0
#: What a later attempt may mend: the server is away, a file is locked, a disk is full.
_OUTAGES = (OperationalError, InterfaceError)


class Recorder:
    """Records until told to stop; through every outage of the database, and of the broker."""

    def __init__(
        self,
        settings: RecorderSettings,
        engine: Engine,
        reader: RecordReader,
        teller: Teller,
        figures: Figures,
        check_alone: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._reader = reader
        self._teller = teller
        self._figures = figures
        self._check_alone = check_alone
        self._clean_at_s = 0.0

    def run(self, stopping: Callable[[], bool]) -> None:
        """Record.

        Raises:
            RetryError: A topic was made anew, the lock is gone, or the broker did not take a dead letter: begin again.
            KafkaException: The client cannot go on.
        """
        left = read_positions(self._engine)
        if self._settings.recorder_forgets_other_logs and left and not self._reader.knows_any(left):
            _log.warning("this is another log: what was recorded of the one before is deleted")
            forget_all(self._engine)
            left = {}
        self._reader.begin(left)
        look_at_s = time.monotonic() + _LOOK_EVERY_SECONDS
        while not stopping():
            self._step(stopping)
            self._clean()
            if time.monotonic() >= look_at_s:
                self._reader.check_epochs()
                look_at_s = time.monotonic() + _LOOK_EVERY_SECONDS

    def _step(self, stopping: Callable[[], bool]) -> None:
        messages = self._reader.read(_READ_SECONDS)
        if messages:
            recorded, letters = gather(messages, self._reader.topics, time.time_ns())
            self._keep(Unrecorded.UNDECODABLE, letters)
            self._write(recorded, self._reader.positions(messages), stopping)
        self._figures.report(self._reader.lag_records(), caught_up=self._reader.caught_up())

    def _write(
        self, recorded: Sequence[Recorded], positions: dict[Place, Position], stopping: Callable[[], bool]
    ) -> None:
        """Write until it is written; told to stop meanwhile, the next start reads the same again."""
        for _ in _until(stopping):
            try:
                self._check_alone()
                self._write_once(recorded, positions)
            except _OUTAGES as error:
                self._figures.database_away(error)
                continue
            self._figures.count([each.topic for each in recorded])
            return

    def _write_once(self, recorded: Sequence[Recorded], positions: dict[Place, Position]) -> None:
        try:
            write(self._engine, Batch(by_table(recorded), positions))
        except _OUTAGES:
            raise
        except (DBAPIError, OverflowError, ValueError):  # of one record, which must not hold up the others
            self._keep(Unrecorded.REFUSED, self._untaken(recorded))
            write(self._engine, Batch({}, positions))

    def _keep(self, reason: Unrecorded, letters: Iterable[DeadLetter]) -> None:
        self._figures.dead_letters(reason, self._teller.keep(letters))

    def _untaken(self, recorded: Sequence[Recorded]) -> Iterator[DeadLetter]:
        """Write each record by itself; give those whose values the database refuses."""
        for each in recorded:
            try:
                write(self._engine, Batch({each.table: each.rows}))
            except _OUTAGES:
                raise
            except (DBAPIError, OverflowError, ValueError) as error:
                yield each.letter(f"the database refuses it: {type(error).__name__}")

    def _clean(self) -> None:
        if time.monotonic() < self._clean_at_s:
            return
        try:
            gone = delete_old(self._engine, self._settings.prediction_retention_days, time.time_ns())
        except _OUTAGES as error:
            self._figures.database_away(error)
            gone = 0
        if not gone:  # else the next slice follows after the next batch
            self._clean_at_s = time.monotonic() + _CLEAN_EVERY_SECONDS


def _until(stopping: Callable[[], bool]) -> Iterator[None]:
    """Yield at once, and then again after a while, until told to stop."""
    yield
    while not stopping():
        time.sleep(_RETRY_SECONDS)
        yield
