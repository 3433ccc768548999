"""All that must be settled before the first part starts: ports, interval, broker's place, topics."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.brokers import RunningBroker
from deploy.kafka.ports import free_ports, is_free
from deploy.kept_place import KeptPlace, data_directory, keep, settle
from deploy.kept_run import KeptRun
from deploy.run_options import RunOptions, RunSettings
from deploy.system_parts import METRICS_PORTS, Place, source_variables
from deploy.topics import create_topics, delete_topics
from schemas.errors import StopAndSayError
from schemas.source_settings import REPLAY_START
from schemas.topics import ALL_TOPICS, TICKS

Say = Callable[[str], None]


def check_gateway_port(settings: RunSettings) -> int:
    """Give the port to serve on, a free one for 0.

    Raises:
        StopAndSayError: Somebody listens there.
    """
    wanted = settings.gateway_port
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.gateway_host, wanted))
        except OSError as error:
            raise StopAndSayError(
                f"port {wanted} cannot be had ({error.strerror}): stop what listens there or choose another with --port"
            ) from error
        return int(probe.getsockname()[1])


def choose_interval(options: RunOptions) -> str:
    """Give the length of the bars: as asked for, else what suits the source.

    Raises:
        StopAndSayError: The source is a file that cannot be understood.
    """
    settings = options.settings
    if options.interval_given:
        return settings.interval
    if settings.source == "replay":
        return "1d"
    if settings.source.startswith("file:"):
        return str(_describe(settings.source).get("interval") or "1m")
    return "1m"


def check_source(settings: RunSettings, interval: str) -> None:
    """Let the ingestor look at its source, before anything that is kept is touched for a mistyped option.

    Raises:
        StopAndSayError: It cannot be played; the line says why.
    """
    _ask_ingestor("check", variables=source_variables(settings, interval))


def _describe(source: str) -> dict[str, object]:
    described: dict[str, object] = json.loads(_ask_ingestor("describe", source))
    return described


def _ask_ingestor(*words: str, variables: Mapping[str, str] | None = None) -> str:
    command = [sys.executable, "-m", "ingestor", *words]
    asked = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **(variables or {})}
    )
    if asked.returncode:
        lines = [line for line in asked.stderr.splitlines() if line.strip()] or [f"exit code {asked.returncode}"]
        raise StopAndSayError(lines[-1].removeprefix("ingestor: "))
    return asked.stdout


def choose_metrics_ports() -> dict[str, int]:
    """Give every service its own port, another where that is taken."""
    free = free_ports()
    return {name: port if is_free(port) else next(free) for name, port in METRICS_PORTS.items()}


def wanted_run(settings: RunSettings, interval: str) -> KeptRun:
    """Give what a run is remembered by."""
    return KeptRun(
        topic_prefix=settings.topic_prefix,
        source=settings.source,
        interval=interval,
        start=settings.start or (REPLAY_START if settings.source == "replay" else None),
        tickers=settings.tickers,
        loop=settings.loop,
    )


def prepare_place(options: RunOptions, broker: RunningBroker, interval: str, gateway_port: int, say: Say) -> Place:
    """Settle where the run lives on its broker, and make its topics.

    Raises:
        StopAndSayError: What is kept there was made with other options, or the topics are not as they should be.
    """
    wanted = wanted_run(options.settings, interval)
    if broker.kind == "embedded":
        tables, _ = _make_topics(options, broker, "embedded", wanted.topic_prefix, anew=True)
        return _place(options, broker, wanted.topic_prefix, tables, gateway_port)
    name = "local" if broker.kind == "local" else broker.bootstrap_servers
    kept = settle(options.var, name, wanted, fresh=options.fresh)
    prefix = kept.run.topic_prefix
    tables, made = _make_topics(options, broker, name, prefix, anew=not kept.continues)
    keep(options.var, kept)
    _say_kept(kept, prefix + TICKS.name in made, say)
    if kept.replaced is not None:
        _leave_behind(options, broker, name, kept.replaced, say)
    return _place(options, broker, prefix, tables, gateway_port)


def _place(options: RunOptions, broker: RunningBroker, prefix: str, tables: Path, gateway_port: int) -> Place:
    host = options.settings.gateway_host
    return Place(broker.environment(), prefix, tables, gateway_port, choose_metrics_ports(), host)


def _make_topics(
    options: RunOptions, broker: RunningBroker, name: str, prefix: str, *, anew: bool
) -> tuple[Path, list[str]]:
    """Make what is missing; give the folder of the tables, empty where the log is new, and what was made."""
    update = {"topic_prefix": prefix, "kafka_embedded": broker.embedded}
    made = create_topics(options.settings.model_copy(update=update), broker.bootstrap_servers)
    tables = data_directory(options.var, name, prefix)
    if anew or made:
        shutil.rmtree(tables, ignore_errors=True)
    return tables, made


def _say_kept(kept: KeptPlace, new_log: bool, say: Say) -> None:
    if kept.continues and new_log:
        say("the log of the run before is gone: beginning anew")
    elif kept.continues:
        say("continuing where the log ends; --fresh begins anew")
    if kept.run.topic_prefix:
        say(f"topics have the prefix {kept.run.topic_prefix}")


def _leave_behind(options: RunOptions, broker: RunningBroker, name: str, replaced: KeptRun, say: Say) -> None:
    shutil.rmtree(data_directory(options.var, name, replaced.topic_prefix), ignore_errors=True)
    if broker.kind == "local":
        settings = options.settings.model_copy(update={"kafka_bootstrap_servers": broker.bootstrap_servers})
        try:
            delete_topics(settings, [replaced.topic_prefix + topic.name for topic in ALL_TOPICS])
        except StopAndSayError as error:  # what is new is not worse for it
            say(f"old topics were not deleted: {error}")
    else:
        say(f"the topics with the prefix {replaced.topic_prefix!r} stay on the cluster: they are not ours to delete")
