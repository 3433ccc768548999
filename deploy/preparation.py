"""All that must be settled before the first part starts: ports, interval, broker's place, topics."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from deploy.brokers import RunningBroker
from deploy.kafka.ports import free_ports, is_free, try_port
from deploy.kept_place import KeptPlace, data_directory, keep, settle
from deploy.kept_run import KeptRun
from deploy.run_options import RunOptions, RunSettings
from deploy.say import Say
from deploy.system_parts import METRICS_PORTS, Place, source_variables
from deploy.topics import create_topics, delete_topics
from schemas.errors import StopAndSayError
from schemas.source_settings import REPLAY_START
from schemas.topics import ALL_TOPICS, TICKS


def check_gateway_port(settings: RunSettings) -> int:
    """Give the port to serve on, a free one for 0.

    Raises:
        StopAndSayError: Somebody listens there.
    """
    host, wanted = settings.gateway_host, settings.gateway_port
    try:
        return try_port(host, wanted)
    except OSError as error:
        raise StopAndSayError(
            f"port {wanted} is not available on {host} ({error.strerror}): "
            "stop what listens there or choose another with --port"
        ) from error


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


def choose_metrics_ports(host: str, gateway_port: int) -> dict[str, int]:
    """Give every service its own port, another where that is taken or will be by the gateway."""

    def free(port: int) -> bool:
        return port != gateway_port and is_free(port, host)

    others = filter(free, free_ports())
    return {name: port if free(port) else next(others) for name, port in METRICS_PORTS.items()}


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
    """Settle where the run lives on its broker, make its topics, and remember the run.

    Where nothing was kept and `ticks` was there all the same, only the ingestor can tell whether it may go on there:
    the place is `unconfirmed` then, and remembered later.

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
    place = _place(options, broker, prefix, tables, gateway_port)
    new_log = prefix + TICKS.name in made
    _say_kept(kept, new_log, say)
    if not (options.fresh or kept.continues or new_log):
        return replace(place, unconfirmed=kept)
    keep(options.var, kept)
    if kept.replaced is not None:
        _leave_behind(options, broker, name, kept.replaced, say)
    return place


def _place(options: RunOptions, broker: RunningBroker, prefix: str, tables: Path, gateway_port: int) -> Place:
    settings = options.settings
    return Place(
        broker=broker.environment(),
        topic_prefix=prefix,
        data_directory=tables,
        gateway_port=gateway_port,
        metrics_ports=choose_metrics_ports(settings.metrics_host, gateway_port),
        gateway_host=settings.gateway_host,
        https=bool(settings.tls_certificate_file),
        metrics_host=settings.metrics_host,
    )


def _make_topics(
    options: RunOptions, broker: RunningBroker, name: str, prefix: str, *, anew: bool
) -> tuple[Path, list[str]]:
    """Make what is missing; give the folder of the tables, empty where the log is new, and what was made."""
    made = create_topics(broker.applied_to(options.settings).model_copy(update={"topic_prefix": prefix}))
    tables = data_directory(options.var, name, prefix)
    if anew or made:
        shutil.rmtree(tables, ignore_errors=True)
    return tables, made


def _say_kept(kept: KeptPlace, new_log: bool, say: Say) -> None:
    if kept.continues and new_log:
        say("the previous run's log is gone: starting over")
    elif kept.continues:
        say("resuming where the log ends; --fresh starts over")
    if kept.run.topic_prefix:
        say(f"topics have the prefix {kept.run.topic_prefix}")


def _leave_behind(options: RunOptions, broker: RunningBroker, name: str, replaced: KeptRun, say: Say) -> None:
    shutil.rmtree(data_directory(options.var, name, replaced.topic_prefix), ignore_errors=True)
    if broker.kind == "local":
        try:
            delete_topics(
                broker.applied_to(options.settings), [replaced.topic_prefix + topic.name for topic in ALL_TOPICS]
            )
        except StopAndSayError as error:  # what is new is not worse for it
            say(f"old topics were not deleted: {error}")
    else:
        say(f"the topics with the prefix {replaced.topic_prefix!r} stay on the cluster: they are not ours to delete")
