"""The broker inside the confluent-kafka wheel, as a process: `python -m deploy.embedded_broker [ADDRESS_FILE]`.

It speaks Kafka's protocol on 127.0.0.1 on a port of its own choice, keeps about the last 5 MB of each of a topic's 4
partitions in memory, and forgets all when it ends.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka.admin import AdminClient

from deploy.children import last_lines, start_child, stop_child
from schemas.broker import wait_until
from schemas.errors import StopAndSayError
from schemas.service import stop_event_on_signals
from schemas.whole_file import write_whole

_START_SECONDS = 20.0


@dataclass
class EmbeddedBroker:
    """A running embedded broker."""

    bootstrap_servers: str
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> None:
        """End it. Idempotent."""
        stop_child(self.process)


def start_embedded_broker(folder: Path) -> EmbeddedBroker:
    """Start one and return when it has an address.

    Args:
        folder: For its log and its address; made where missing.

    Raises:
        StopAndSayError: It does not come up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log, address = folder / "embedded.log", folder / "embedded.address"
    address.unlink(missing_ok=True)
    log.write_bytes(b"")
    process = start_child([sys.executable, "-m", "deploy.embedded_broker", str(address)], log=log)
    try:
        wait_until(
            lambda: address.exists() or process.poll() is not None,
            seconds=_START_SECONDS,
            what="the start of the embedded broker",
            every_seconds=0.02,
        )
    except BaseException:
        stop_child(process)
        raise
    if process.poll() is not None:
        raise StopAndSayError(f"the embedded broker ended at its start: {last_lines(log)}")
    return EmbeddedBroker(address.read_text(), process, log)


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM or Ctrl-C; print the address, and write it to the named file."""
    stop = stop_event_on_signals()
    cluster = AdminClient({"test.mock.num.brokers": 1, "bootstrap.servers": "unused", "log_level": 4})
    broker = next(iter(cluster.list_topics(timeout=_START_SECONDS).brokers.values()))
    address = f"{broker.host}:{broker.port}"
    if arguments:
        write_whole(Path(arguments[0]), address.encode())
    print(f"embedded broker on {address} (process {os.getpid()}); it forgets everything when it ends", flush=True)
    stop.wait()


if __name__ == "__main__":
    main(sys.argv[1:])
