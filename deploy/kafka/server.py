"""Run one Kafka node on this machine."""

import subprocess
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from deploy.children import last_lines, start_child, stop_child
from deploy.kafka.claim import claim, end_orphan
from deploy.kafka.jars import have_jars, maven_fetch
from deploy.kafka.java import format_command, java_environment, java_program, server_command
from deploy.kafka.lock import LockedJar, kafka_version, locked_jars
from deploy.kafka.node import NodeFolder, choose_ports, new_cluster_id
from deploy.kafka.ports import Ports, is_free
from deploy.kafka.ready import becomes_ready
from deploy.kafka.settings import LocalKafkaSettings
from deploy.say import Say
from schemas.errors import StopAndSayError

_FORMAT_SECONDS = 60.0


@dataclass
class LocalKafka:
    """A running node.

    Attributes:
        release: Gives the folder free for another start.
    """

    folder: NodeFolder
    ports: Ports
    process: subprocess.Popen[bytes]
    release: Callable[[], None]

    @property
    def message(self) -> str:
        """Say in one line what runs."""
        version = kafka_version(locked_jars())
        return f"Apache Kafka {version} on {self.ports.bootstrap_servers}, data in {self.folder.root}"

    def stop(self) -> None:
        """End it and give its folder free. Idempotent."""
        stop_child(self.process)
        self.folder.pid.unlink(missing_ok=True)
        self.release()


def start_local_kafka(
    root: Path, settings: LocalKafkaSettings, say: Say, reserved_ports: Collection[int] = ()
) -> LocalKafka:
    """Start the node of a folder and return when it answers.

    Args:
        reserved_ports: Somebody else will listen there.

    Raises:
        UnavailableError: The jars or the Java runtime are not available.
        StopAndSayError: The folder is in use, or Kafka does not come up; with its last words.
    """
    java_program()
    class_path = jars_of(settings, say)
    if "," in str(root.resolve()):
        raise StopAndSayError(
            f"Kafka cannot keep data in {root.resolve()}: choose a folder without a comma in its path"
        )
    folder = NodeFolder(root.resolve())
    release = claim(folder)
    try:
        if end_orphan(folder):
            say("ended a Kafka that a killed run had left behind")
        process, ports = _start_on_some_port(folder, class_path, settings, say, reserved_ports)
    except BaseException:
        release()
        raise
    return LocalKafka(folder, ports, process, release)


def jars_of(settings: LocalKafkaSettings, say: Say) -> list[Path]:
    """Give the class path, fetched where it must be.

    Raises:
        UnavailableError: Something is missing and cannot be fetched.
    """

    def fetch(jar: LockedJar, staging: Path) -> Path:
        return maven_fetch(settings.maven_repository)(jar, staging)

    return have_jars(locked_jars(), settings.jars_folder, fetch, say)


def _start_on_some_port(
    folder: NodeFolder,
    class_path: list[Path],
    settings: LocalKafkaSettings,
    say: Say,
    reserved_ports: Collection[int],
) -> tuple[subprocess.Popen[bytes], Ports]:
    """Start; once more where somebody took the port between our look and Kafka's."""
    for last_try in (False, True):
        ports = _take_ports(folder, settings, say, reserved_ports)
        folder.write_configuration(ports)
        folder.begin_log()
        _format_once(folder, class_path)
        process = start_child(
            server_command(class_path, folder.configuration, settings),
            log=folder.log,
            environment=java_environment(),
        )
        folder.pid.write_text(str(process.pid))
        if becomes_ready(process, folder, ports, may_fail=not last_try):
            return process, ports
    raise AssertionError("the last try raises or returns")


def _take_ports(folder: NodeFolder, settings: LocalKafkaSettings, say: Say, reserved_ports: Collection[int]) -> Ports:
    kept = folder.kept_ports()
    wanted = wanted_ports(kept, settings)
    ports = choose_ports(kept, wanted, lambda port: port not in reserved_ports and is_free(port))
    if wanted and ports.broker != wanted[0]:
        say(f"port {wanted[0]} is taken: Kafka is on port {ports.broker} from now on")
    folder.keep_ports(ports)
    return ports


def wanted_ports(kept: Ports | None, settings: LocalKafkaSettings) -> list[int]:
    """Give the ports to try first: one that a setting names, else that of the run before, else the default."""
    before = [kept.broker] if kept else []
    setting = [settings.kafka_port] if settings.kafka_port else []
    return setting + before if "kafka_port" in settings.model_fields_set else before + setting


def _format_once(folder: NodeFolder, class_path: list[Path]) -> None:
    if folder.cluster_id() is not None:
        return
    command = format_command(class_path, folder.configuration, new_cluster_id())
    with folder.log.open("ab") as output, suppress(subprocess.TimeoutExpired):
        subprocess.run(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=java_environment(),
            timeout=_FORMAT_SECONDS,
            check=False,
        )
    if folder.cluster_id() is None:
        raise StopAndSayError(f"Kafka cannot prepare {folder.data}: {last_lines(folder.log)}")
