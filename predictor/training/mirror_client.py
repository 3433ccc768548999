"""MLflow's client: without telemetry, quiet, with bounded waiting, on a database that is whole or not there at all."""

import logging
import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

_SQLITE = "sqlite:///"
#: Nothing is told to anybody, whatever the environment says.
_ALWAYS = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
#: Whoever wants to wait longer for a server says so in MLflow's own variables. Its loggers are ours to configure.
_UNLESS_SAID = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_CONFIGURE_LOGGING": "false",
}
_LOCK_SECONDS = 5.0


def absolute(uri: str) -> str:
    """Give a database's address with its whole path; another address as it is."""
    path = database_path(uri)
    return uri if path is None else f"{_SQLITE}{path}"


def database_path(uri: str) -> Path | None:
    """Give the file of a database; None for a server."""
    return Path(uri.removeprefix(_SQLITE)).resolve() if uri.startswith(_SQLITE) else None


def artifacts_beside(uri: str) -> str | None:
    """Give the folder of the files beside a database, as an address; None where a server knows better."""
    path = database_path(uri)
    return None if path is None else (path.parent / "artifacts").as_uri()


def open_client(uri: str) -> Any:
    """Give a client. The first call of a process imports MLflow, which takes seconds."""
    os.environ.update(_ALWAYS)
    for name, value in _UNLESS_SAID.items():
        os.environ.setdefault(name, value)
    for logger in ("mlflow", "alembic"):  # what goes wrong is raised, and said by us, once
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    from mlflow import MlflowClient  # noqa: PLC0415 - seconds, and only the trainer pays

    path = database_path(uri)
    if path is not None:
        _require_database(path)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _require_database(path: Path) -> None:
    """Check that a database can be read, or make it.

    MLflow would try for minutes to open what it cannot, and its tables are made in 60 steps that a kill in the middle
    leaves half done: so they are made beside, and moved.
    """
    if path.exists():
        with closing(sqlite3.connect(path, timeout=_LOCK_SECONDS)) as connection:
            connection.execute("PRAGMA schema_version")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    from mlflow import db  # noqa: PLC0415 - likewise

    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=path.parent) as place:
        unfinished = Path(place, path.name)
        db.upgrade.callback(f"{_SQLITE}{unfinished}")
        unfinished.rename(path)
