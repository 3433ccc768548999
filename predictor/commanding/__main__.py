"""`python -m predictor.commanding list|load|unload|rollback|retrain`."""

import argparse
import getpass
import signal
import sys
import time
import uuid
from collections.abc import Sequence
from contextlib import closing
from functools import partial

import msgspec
from confluent_kafka.admin import AdminClient, ConfigResource
from msgspec import structs

from predictor.artifacts import MANIFEST_FILE, find_model_sets
from predictor.commanding.answers import Answer
from predictor.commanding.arguments import command_of, parse
from predictor.commanding.broker import Answers, read_decisions, send_command
from predictor.commanding.listing import Found, Row, now_line, rows_of, safe, table
from predictor.settings import PredictorSettings
from predictor.store import ArtifactStore, StoreUnreachableError, digest_of, open_store
from schemas.broker import require_topics
from schemas.errors import TickcastError
from schemas.service import run_service
from schemas.topics import MODEL_COMMANDS, MODELS, SERVICE_STATUS

_TOPICS = (MODELS, MODEL_COMMANDS, SERVICE_STATUS)
#: The decision and the trainer's word on it lie in different topics, and may be read in any order.
_DECISION_AFTER_SECONDS = 2.0


class NotDoneError(TickcastError):
    """What was asked for was not done, or nobody said that it was."""


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
    command = command_of(given, f"person/{uuid.uuid4()}", f"cli/{_user()}", time.time_ns())
    with closing(Answers(settings, command.id)) as answers:
        send_command(settings, command)
        try:  # from the very word that it is sent: whoever reads that may already wait no longer
            _say(f"sent {command.id}: {given.command}")
            if given.no_wait:
                return
            answer = _final_answer(answers, given.wait)
        except KeyboardInterrupt:
            raise NotDoneError("no longer waited for; the trainer goes on, and `tickcast models list` tells") from None
    if not answer.done:
        raise NotDoneError(safe(answer.text))
    _say(safe(answer.text))


def _final_answer(answers: Answers, patience_seconds: float) -> Answer:
    """Wait for what becomes of a command; each word of the trainer on it renews the patience.

    Raises:
        NotDoneError: The trainer says nothing of it for so long.
    """
    said = ""
    while (answer := answers.next(patience_seconds)) is not None:
        if answer.done is not None:
            return answer if answer.decided or not answer.done else answers.decision(_DECISION_AFTER_SECONDS) or answer
        if answer.text != said:
            said = answer.text
            _say(safe(said))
    if said:
        raise NotDoneError(f"the trainer has said nothing more of it for {patience_seconds:g} s; it said: {safe(said)}")
    raise NotDoneError(
        f"no trainer answered within {patience_seconds:g} s: start one with `tickcast predictor trainer`; "
        "the command waits for it in `model-commands`"
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number without a name
        return "unknown"


if __name__ == "__main__":
    main(sys.argv[1:])
