"""Which broker: the cluster that the settings name, local Kafka, or the embedded one."""

import subprocess
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from deploy.children import last_lines
from deploy.embedded_broker import start_embedded_broker
from deploy.kafka.jars import UnavailableError
from deploy.kafka.server import start_local_kafka
from deploy.kafka.settings import LocalKafkaSettings
from deploy.parts import how_it_ended
from deploy.reach import require_answer
from deploy.say import Say
from schemas.errors import StopAndSayError
from schemas.settings import ENV_PREFIX, AnySettings, Settings, load_settings

Kind = Literal["local", "embedded", "cluster"]


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
        how = "still runs" if code is None else how_it_ended(code)
        return f"the {self.kind} broker {how}; its last words: {last_lines(self.log)} (the rest is in {self.log})"

    def stop(self) -> None:
        """End it, at the latest after about 4 s, and all that it started. A cluster is left alone. Idempotent."""
        self._stop()

    def applied_to(self, settings: AnySettings) -> AnySettings:
        """Give the settings with those in their place that lead to it."""
        return settings.model_copy(update=self._settings())

    def environment(self) -> dict[str, str]:
        """Give the `TICKCAST_*` variables that lead a service to it."""
        return {
            f"{ENV_PREFIX}{name.upper()}": str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in self._settings().items()
        }

    def _settings(self) -> dict[str, str | int]:
        place: dict[str, str | int] = {
            "kafka_bootstrap_servers": self.bootstrap_servers,
            "kafka_embedded": self.embedded,
        }
        if self.kind == "cluster":
            return place
        # A broker of ours is a single one without secrets, whatever cluster `.env` describes.
        return place | {"kafka_security_protocol": "PLAINTEXT", "replication_factor": 1}


def start_broker(
    choice: str, *, var: Path, settings: Settings, say: Say, reserved_ports: Collection[int] = ()
) -> RunningBroker:
    """Start, or reach, a broker, and return when it answers. Topics are another step: `deploy.topics.create_topics`.

    Call it from the main thread: on Linux what it starts ends with the thread that started it.

    Args:
        choice: `auto`, `local`, `embedded` or `HOST:PORT`. `auto` is the cluster that
            TICKCAST_KAFKA_BOOTSTRAP_SERVERS names, else local, else embedded with one line that says why.
        var: The folder of this machine's data; Kafka's is under `kafka`.
        settings: For the connection to a cluster.
        say: Takes lines like "fetching 46 jars of Apache Kafka".
        reserved_ports: Not for a broker of ours.

    Raises:
        StopAndSayError: In one line, why there is none.
    """
    if choice == "auto":
        return _automatic(var, settings, say, reserved_ports)
    if choice == "embedded":
        return _embedded(var)
    if choice == "local":
        try:
            return _local(var, say, reserved_ports)
        except UnavailableError as error:
            raise StopAndSayError(f"local Kafka is not available: {error}; or choose --broker embedded") from error
    return _cluster(choice, settings)


def _automatic(var: Path, settings: Settings, say: Say, reserved_ports: Collection[int]) -> RunningBroker:
    if "kafka_bootstrap_servers" in settings.model_fields_set:
        return _cluster(settings.kafka_bootstrap_servers, settings)
    try:
        return _local(var, say, reserved_ports)
    except UnavailableError as error:
        say(f"using the embedded broker, which forgets everything when it ends, because {error}")
        return _embedded(var)


def _cluster(address: str, settings: Settings) -> RunningBroker:
    answer = require_answer(settings.kafka_config() | {"bootstrap.servers": address})
    message = f"the Kafka cluster at {address} ({answer.brokers} broker{'s' if answer.brokers > 1 else ''})"
    return RunningBroker("cluster", address, None, message, embedded=settings.kafka_embedded)


def _local(var: Path, say: Say, reserved_ports: Collection[int]) -> RunningBroker:
    node = start_local_kafka(var / "kafka", load_settings(LocalKafkaSettings), say, reserved_ports)
    return RunningBroker(
        "local", node.ports.bootstrap_servers, node.process, node.message, node.folder.log, _stop=node.stop
    )


def _embedded(var: Path) -> RunningBroker:
    broker = start_embedded_broker(var / "embedded")
    message = f"the embedded broker on {broker.bootstrap_servers}, in memory: it forgets everything when it ends"
    return RunningBroker(
        "embedded", broker.bootstrap_servers, broker.process, message, broker.log, embedded=True, _stop=broker.stop
    )
