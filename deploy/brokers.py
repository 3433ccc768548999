"""Which broker: the cluster that the settings name, local Kafka, or the embedded one."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from deploy.children import last_lines
from deploy.embedded_broker import start_embedded_broker
from deploy.kafka.jars import UnavailableError
from deploy.kafka.server import start_local_kafka
from deploy.kafka.settings import LocalKafkaSettings
from deploy.reach import require_answer
from schemas.errors import StopAndSayError
from schemas.settings import ENV_PREFIX, Settings, load_settings

#: Says one line to the person who started it.
Say = Callable[[str], None]
Kind = Literal["local", "embedded", "cluster"]

_ADDRESSES = re.compile(r"^[^\s,:]+:\d{1,5}(,[^\s,:]+:\d{1,5})*$")


def _nothing() -> None:
    """Leave a cluster alone."""


@dataclass
class RunningBroker:
    """A broker that answers.

    Attributes:
        kind: `local` and `embedded` were started by us; `cluster` was there.
        bootstrap_servers: Its address, like `127.0.0.1:9092`.
        process: Ours, or None for a cluster.
        message: One line for people, like `Apache Kafka 4.3.1 on 127.0.0.1:9092, data in var/kafka`.
        log: What its process prints.
        embedded: Services must take it for the embedded one.
    """

    kind: Kind
    bootstrap_servers: str
    process: subprocess.Popen[bytes] | None
    message: str
    log: Path | None = None
    embedded: bool = False
    _stop: Callable[[], None] = field(default=_nothing, repr=False)

    def alive(self) -> bool:
        """Tell whether its process runs; a cluster is taken to."""
        return self.process is None or self.process.poll() is None

    def last_words(self) -> str:
        """Give one line on why it died: its exit code and the last lines of its log."""
        if self.process is None or self.log is None:
            return f"the cluster at {self.bootstrap_servers} is not ours"
        code = self.process.poll()
        how = "still runs" if code is None else f"ended with signal {-code}" if code < 0 else f"ended with code {code}"
        return f"the {self.kind} broker {how}; its last words: {last_lines(self.log)} (the rest is in {self.log})"

    def stop(self) -> None:
        """End it, at the latest after about 4 s, and all that it started. A cluster is left alone. Idempotent."""
        self._stop()

    def environment(self) -> dict[str, str]:
        """Give the `TICKCAST_*` variables that lead a service to it (address, and whether it is embedded)."""
        return {
            f"{ENV_PREFIX}KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            f"{ENV_PREFIX}KAFKA_EMBEDDED": "1" if self.embedded else "0",
        }


def start_broker(choice: str, *, var: Path, settings: Settings, say: Say) -> RunningBroker:
    """Start, or reach, a broker, and return when it answers. Topics are another step: `deploy.topics.create_topics`.

    Call it from the main thread: on Linux what it starts ends with the thread that started it.

    Args:
        choice: `auto`, `local`, `embedded` or `HOST:PORT`. `auto` is the cluster that
            TICKCAST_KAFKA_BOOTSTRAP_SERVERS names, else local, else embedded with one line that says why.
        var: The folder of this machine's data; Kafka's is under `kafka`.
        settings: For the connection to a cluster.
        say: Takes lines like "fetching 46 jars of Apache Kafka".

    Raises:
        StopAndSayError: In one line, why there is none.
    """
    if choice == "auto":
        return _automatic(var, settings, say)
    if choice == "embedded":
        return _embedded(var)
    if choice == "local":
        try:
            return _local(var, say)
        except UnavailableError as error:
            raise StopAndSayError(f"local Kafka cannot be had: {error}; or choose --broker embedded") from error
    if not _ADDRESSES.match(choice):
        raise StopAndSayError(f"--broker {choice!r} is no broker: use auto, local, embedded or HOST:PORT")
    return _cluster(choice, settings)


def _automatic(var: Path, settings: Settings, say: Say) -> RunningBroker:
    if "kafka_bootstrap_servers" in settings.model_fields_set:
        return _cluster(settings.kafka_bootstrap_servers, settings)
    try:
        return _local(var, say)
    except UnavailableError as error:
        say(f"using the embedded broker, which forgets everything when it ends, because {error}")
        return _embedded(var)


def _cluster(address: str, settings: Settings) -> RunningBroker:
    answer = require_answer(settings.kafka_config() | {"bootstrap.servers": address})
    message = f"the Kafka cluster at {address} ({answer.brokers} broker{'s' if answer.brokers > 1 else ''})"
    return RunningBroker("cluster", address, None, message, embedded=settings.kafka_embedded)


def _local(var: Path, say: Say) -> RunningBroker:
    node = start_local_kafka(var / "kafka", load_settings(LocalKafkaSettings), say)
    return RunningBroker(
        "local", node.ports.bootstrap_servers, node.process, node.message, node.folder.log, _stop=node.stop
    )


def _embedded(var: Path) -> RunningBroker:
    broker = start_embedded_broker(var / "embedded")
    message = f"the embedded broker on {broker.bootstrap_servers}, in memory: it forgets everything when it ends"
    return RunningBroker(
        "embedded", broker.bootstrap_servers, broker.process, message, broker.log, embedded=True, _stop=broker.stop
    )
