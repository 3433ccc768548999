"""Services that run once in a whole group: beside the worker that holds partition 0."""

import asyncio
import logging
from collections.abc import Collection, Sequence
from typing import Protocol

HOME = 0
_END_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Tenant(Protocol):
    """Lives on the worker that holds partition 0; on another one after each move, and never on two by intention.

    The old worker may not know yet that it has lost its place, so two may overlap for the length of a session: what a
    tenant says must be a function of the logs, as everything here is.
    """

    async def start(self) -> None:
        """Begin, without a memory; returns at once."""
        ...

    async def stop(self) -> None:
        """End, and return when it has; it may be started again."""
        ...


class Tenancy:
    """Starts and ends the tenants."""

    def __init__(self, tenants: Sequence[Tenant]) -> None:
        self._tenants = tenants
        self._at_home = False

    async def works(self, partitions: Collection[int]) -> None:
        """Note which partitions this worker reads from now on."""
        if HOME in partitions and not self._at_home:
            self._at_home = True
            for tenant in self._tenants:
                await tenant.start()

    async def end(self) -> None:
        """End the tenants, and wait a moment until they have."""
        if not self._at_home:
            return
        self._at_home = False
        for tenant in self._tenants:
            try:
                await asyncio.wait_for(tenant.stop(), _END_SECONDS)
            except TimeoutError:  # it was cancelled all the same
                _log.warning("%s took more than %g s to end", type(tenant).__name__, _END_SECONDS)
            except Exception:  # whatever it is, the others and the worker have to end too
                _log.exception("%s did not end well", type(tenant).__name__)
