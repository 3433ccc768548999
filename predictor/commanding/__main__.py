"""`python -m predictor.commanding list|load|unload|rollback|retrain`."""

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from functools import partial

import msgspec
from confluent_kafka.admin import AdminClient, ConfigResource
from msgspec import structs

from predictor.artifacts import MANIFEST_FILE, find_model_sets
from predictor.commanding.arguments import command_of, parse
from predictor.commanding.asking import ask, send
from predictor.commanding.listing import Found, Row, now_line, rows_of, table
from predictor.settings import PredictorSettings
from predictor.store import ArtifactStore, StoreUnreachableError, digest_of, open_store
from predictor.training.announce import read_decisions
from schemas.asking import new_command_id, person
from schemas.broker import require_topics
from schemas.service import run_service
from schemas.terminal import safe
from schemas.topics import MODEL_COMMANDS, MODELS, SERVICE_STATUS

_TOPICS = (MODELS, MODEL_COMMANDS, SERVICE_STATUS)


def main(words: Sequence[str]) -> None:
    """Read the command line and do what it says."""
    given = parse(words)
    run_service("models", PredictorSettings, partial(_run, given))


def _run(given: argparse.Namespace, settings: PredictorSettings) -> None:
    require_topics(settings, _TOPICS, AdminClient, ConfigResource)
    if given.command == "list":
        _list(given, settings)
    else:
        _ask(given, settings)


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def _list(given: argparse.Namespace, settings: PredictorSettings) -> None:
    decisions = read_decisions(settings)
    on_disk = {
        manifest.model_set: Found(manifest, digest_of((folder / MANIFEST_FILE).read_bytes()))
        for folder, manifest in reversed(find_model_sets(settings.models_directory))
    }
    rows, problem = _with_store(rows_of(decisions, on_disk), open_store(settings))
    if given.json:
        _say(msgspec.json.encode({"models": rows}).decode())
        return
    _say(now_line(decisions), *(table(rows) if rows else ()))
    if problem is not None:
        _say(f"the store does not answer: {problem}")


def _with_store(rows: list[Row], store: ArtifactStore) -> tuple[list[Row], str | None]:
    """Ask the store for each set's manifest; the first time that it does not answer is the last."""
    asked: list[Row] = []
    problem: str | None = None
    for row in rows:
        known = problem is None and row.manifest_sha256 is not None
        try:
            there = store.has(row.manifest_sha256 or "") if known else None
        except StoreUnreachableError as error:
            there, problem = None, str(error)
        asked.append(structs.replace(row, in_store=there))
    return asked, problem


def _ask(given: argparse.Namespace, settings: PredictorSettings) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts it with `&` has it ignored
    command = command_of(given, new_command_id(), person(), time.time_ns())
    if given.no_wait:
        send(settings, command, _say)
        return
    _say(safe(ask(settings, command, _say, given.wait).text))


if __name__ == "__main__":
    main(sys.argv[1:])
