"""Keeps who may come in, in memory, in step with the database."""

import asyncio
import logging
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from gateway.access.changes import NOTHING_SEEN, Changes
from gateway.access.ring import KeyRing

#: A revocation reaches open connections within this and the answer of the database.
REFRESH_SECONDS = 2.0

_log = logging.getLogger(__name__)


async def refresh_for_ever(
    ring: KeyRing,
    read: Callable[[int], Changes],
    interval_seconds: float = REFRESH_SECONDS,
    known: asyncio.Event | None = None,
) -> None:
    """Read what changed, until cancelled; while the database is away, what was read last holds.

    Args:
        read: Gives what changed after a revision; it is called in a thread.
        known: Is set once everything has been read.
    """
    seen = NOTHING_SEEN
    away = False
    while True:
        try:
            changes = await asyncio.to_thread(read, seen)
            ring.accept(changes.keys, changes.users, changes.ended_sessions)
            seen, away = changes.revision, False
            if known is not None:
                known.set()
        except SQLAlchemyError as error:  # retry
            if not away:
                _log.warning("cannot read the keys, those read last hold on: %s", type(error).__name__)
            away = True
        await asyncio.sleep(interval_seconds)
