"""Keeps the keys in memory in step with the database."""

import asyncio
import logging
import time

from sqlalchemy.exc import SQLAlchemyError

from gateway.access.ring import KeyRing
from gateway.access.store import KeyStore

#: A revocation reaches open connections within this and the answer of the database.
REFRESH_SECONDS = 2.0
#: Clocks that write `changed_ns` may differ, and what was written may be seen late.
_LOOK_BACK_NS = 300_000_000_000

_log = logging.getLogger(__name__)


async def refresh_for_ever(ring: KeyRing, store: KeyStore, interval_seconds: float = REFRESH_SECONDS) -> None:
    """Read what changed, until cancelled; while the database is away, what was read last holds."""
    seen_ns = 0
    away = False
    while True:
        began_ns = time.time_ns()
        try:
            ring.accept(await asyncio.to_thread(store.changed_since, seen_ns))
            seen_ns, away = began_ns - _LOOK_BACK_NS, False
        except SQLAlchemyError as error:  # retry
            if not away:
                _log.warning("cannot read the keys, those read last hold on: %s", type(error).__name__)
            away = True
        await asyncio.sleep(interval_seconds)
