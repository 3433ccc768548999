"""`python -m deploy.kafka`: run local Kafka until Ctrl-C; `resolve`: only fetch its jars; `lock`: pin them anew."""

import argparse
import os
import sys
from pathlib import Path

from deploy.kafka.jars import UnavailableError
from deploy.kafka.lock import write_lock
from deploy.kafka.server import jars_of, start_local_kafka
from deploy.kafka.settings import LocalKafkaSettings
from schemas.errors import EXIT_STOP_AND_SAY, StopAndSayError
from schemas.service import stop_event_on_signals
from schemas.settings import load_settings


def _say(line: str) -> None:
    print(f"kafka: {line}", flush=True)


def run(folder: Path, settings: LocalKafkaSettings) -> None:
    """Run Kafka in the foreground.

    Raises:
        StopAndSayError: It does not come up, or ended by itself.
        UnavailableError: It cannot be had.
    """
    stop = stop_event_on_signals()
    node = start_local_kafka(folder, settings, _say)
    try:
        _say(node.message)
        while not stop.wait(0.2) and node.process.poll() is None:
            pass
        if not stop.is_set():
            raise StopAndSayError(f"Kafka ended by itself: the rest is in {node.folder.log}")
    finally:
        node.stop()


def main(arguments: list[str] | None = None) -> int:
    """Run the command and give its exit code."""
    parser = argparse.ArgumentParser(prog="tickcast kafka", description=__doc__)
    parser.add_argument("command", nargs="?", choices=("run", "resolve", "lock"), default="run")
    parser.add_argument("--folder", type=Path, default=Path("var/kafka"), help="ports, log and data (var/kafka)")
    chosen = parser.parse_args(arguments)
    try:
        settings = load_settings(LocalKafkaSettings)
        if chosen.command == "lock":
            _say(f"{write_lock(settings.maven_repository)} jars pinned")
        elif chosen.command == "resolve":
            _say(f"{len(jars_of(settings, _say))} jars in {settings.jars_folder}, all as pinned")
        else:
            run(chosen.folder, settings)
    except (StopAndSayError, UnavailableError) as error:
        print(f"kafka: {error}", file=sys.stderr, flush=True)
        return EXIT_STOP_AND_SAY
    return os.EX_OK


if __name__ == "__main__":
    sys.exit(main())
