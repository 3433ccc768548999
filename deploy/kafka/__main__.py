"""`python -m deploy.kafka`: run local Kafka until Ctrl-C; `resolve`: only fetch its jars; `lock`: pin them anew."""

import argparse
import sys
from pathlib import Path

from deploy.kafka.lock import write_lock
from deploy.kafka.server import jars_of, start_local_kafka
from deploy.kafka.settings import LocalKafkaSettings
from deploy.say import errors_in_one_line
from deploy.signals import EXIT_INTERRUPTED, raise_on_signals
from schemas.errors import StopAndSayError
from schemas.service import stop_event_on_signals
from schemas.settings import load_settings


def _say(line: str) -> None:
    print(f"kafka: {line}", flush=True)


def run(folder: Path, settings: LocalKafkaSettings) -> None:
    """Run Kafka in the foreground.

    Raises:
        StopAndSayError: It does not come up, or ended by itself.
        KeyboardInterrupt: A signal came before it was up.
    """
    node = start_local_kafka(folder, settings, _say)
    stop = stop_event_on_signals()
    try:
        _say(node.message)
        while not stop.wait(0.2) and node.process.poll() is None:
            pass
        if not stop.is_set():
            raise StopAndSayError(f"Kafka ended by itself: the rest is in {node.folder.log}")
    finally:
        node.stop()


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="tickcast kafka", description=__doc__)
    parser.add_argument("command", nargs="?", choices=("run", "resolve", "lock"), default="run")
    parser.add_argument("--folder", type=Path, default=Path("var/kafka"), help="ports, log and data (var/kafka)")
    chosen = parser.parse_args(arguments)
    raise_on_signals()
    try:
        with errors_in_one_line("kafka", OSError):
            _run_command(chosen.command, chosen.folder)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def _run_command(command: str, folder: Path) -> None:
    settings = load_settings(LocalKafkaSettings)
    if command == "lock":
        _say(f"{write_lock(settings.maven_repository)} jars pinned")
    elif command == "resolve":
        _say(f"{len(jars_of(settings, _say))} jars in {settings.jars_folder}, all as pinned")
    else:
        run(folder, settings)


if __name__ == "__main__":
    main()
