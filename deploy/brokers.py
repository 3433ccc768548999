"""Which broker: the cluster that the settings name, local Kafka, or the embedded one."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from schemas.settings import Settings

#: Says one line to the person who started it.
Say = Callable[[str], None]


@dataclass
class RunningBroker:
    """A broker that answers.

    Attributes:
        kind: `local` and `embedded` were started by us; `cluster` was there.
        bootstrap_servers: Its address, like `127.0.0.1:9092`.
        process: Ours, or None for a cluster.
        message: One line for people, like `local Apache Kafka 4.3.1 on 127.0.0.1:9092, data in var/kafka`.
    """

    kind: Literal["local", "embedded", "cluster"]
    bootstrap_servers: str
    process: subprocess.Popen[bytes] | None
    message: str

    def alive(self) -> bool:
        """Tell whether its process runs; a cluster is taken to."""
        raise NotImplementedError

    def last_words(self) -> str:
        """Give one line on why it died: its exit code and the last lines of its log."""
        raise NotImplementedError

    def stop(self) -> None:
        """End it, at the latest after about 4 s, and all that it started. A cluster is left alone. Idempotent."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """Give the `TICKCAST_*` variables that lead a service to it (address, and whether it is embedded)."""
        raise NotImplementedError


def start_broker(choice: str, *, var: Path, settings: Settings, say: Say) -> RunningBroker:
    """Start, or reach, a broker, and return when it answers. Topics are another step: `deploy.topics.create_topics`.

    Call it from the main thread: on Linux what it starts dies with the thread that started it.

    Args:
        choice: `auto`, `local`, `embedded` or `HOST:PORT`. `auto` is the cluster that
            TICKCAST_KAFKA_BOOTSTRAP_SERVERS names, else local, else embedded with one line that says why.
        var: The folder of this machine's data; Kafka's is under `kafka`.
        settings: For the connection to a cluster.
        say: Takes lines like "fetching Apache Kafka's jars, once".

    Raises:
        StopAndSayError: In one line, why there is none.
    """
    raise NotImplementedError
