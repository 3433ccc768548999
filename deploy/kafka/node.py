"""What one Kafka node keeps in its folder: ports, cluster id, configuration, log."""

import base64
import json
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.kafka.ports import HOST, free_ports, is_free

_CONFIGURATION = """\
# Written at every start; changes are lost.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=BROKER://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=BROKER://{host}:{port}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs={data}
# Topics are made from the table, never by a mistyped name.
auto.create.topics.enable=false
# One node holds everything.
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1
# After a kill the node waits this long before it believes that its last life is over; 9 s is the default.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
# A group of one machine is complete when its first member comes.
group.initial.rebalance.delay.ms=0
# The cleaner's map lives in the heap; this holds 600,000 keys.
log.cleaner.dedupe.buffer.size=16777216
"""


@dataclass(frozen=True)
class Ports:
    """Where the node listens, on 127.0.0.1."""

    broker: int
    controller: int

    @property
    def bootstrap_servers(self) -> str:
        """Give the address for clients."""
        return f"{HOST}:{self.broker}"


@dataclass(frozen=True)
class NodeFolder:
    """The files of one node."""

    root: Path

    @property
    def data(self) -> Path:
        """Kafka's own folder."""
        return self.root / "data"

    @property
    def configuration(self) -> Path:
        """`server.properties`."""
        return self.root / "server.properties"

    @property
    def log(self) -> Path:
        """What the process prints; the run before is beside it."""
        return self.root / "kafka.log"

    @property
    def lock(self) -> Path:
        """Held by who runs the node."""
        return self.root / "lock"

    @property
    def pid(self) -> Path:
        """The process id of the node."""
        return self.root / "pid"

    @property
    def _ports(self) -> Path:
        return self.root / "ports.json"

    def kept_ports(self) -> Ports | None:
        """Give the ports of the run before."""
        try:
            return Ports(**json.loads(self._ports.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def keep_ports(self, ports: Ports) -> None:
        """Remember the ports, in one step."""
        new = self._ports.with_suffix(".new")
        new.write_text(json.dumps(asdict(ports)))
        new.replace(self._ports)

    def cluster_id(self) -> str | None:
        """Give the id that the data was formatted with; None where it was not, or not to the end."""
        try:
            lines = (self.data / "meta.properties").read_text().splitlines()
        except OSError:
            return None
        return next((line.partition("=")[2].strip() for line in lines if line.startswith("cluster.id=")), None)

    def write_configuration(self, ports: Ports) -> None:
        """Write `server.properties`."""
        text = _CONFIGURATION.format(
            host=HOST, port=ports.broker, controller_port=ports.controller, data=_escaped(self.data.resolve())
        )
        self.configuration.write_text(text, encoding="ascii")

    def begin_log(self) -> None:
        """Start a new log and keep one old."""
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))


def _escaped(path: Path) -> str:
    """Write a path as a Java property: its files are Latin-1 with escapes, and a comma parts two folders."""
    text = str(path).replace("\\", "\\\\")
    return "".join(c if " " < c < "\x7f" or c == " " else _java_escape(c) for c in text)


def _java_escape(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{int.from_bytes(units[i : i + 2], 'big'):04x}" for i in range(0, len(units), 2))


def choose_ports(kept: Ports | None, wanted_port: int, free: Callable[[int], bool] = is_free) -> Ports:
    """Give the kept ports where they are free, else the wanted one, else others."""
    others = free_ports()
    candidates = [kept.broker if kept else 0, wanted_port]
    broker = next((port for port in candidates if port and free(port)), None) or next(others)
    if kept and kept.controller != broker and free(kept.controller):
        return Ports(broker, kept.controller)
    return Ports(broker, next(port for port in others if port != broker))


def new_cluster_id() -> str:
    """Give a random id in Kafka's form; it may not begin with a dash, which a command line takes for an option."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text
