"""What one Kafka node keeps in its folder: ports, cluster id, log."""

import base64
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.kafka.configuration import server_properties
from deploy.kafka.ports import Ports, free_ports, is_free
from schemas.whole_file import write_whole


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
        write_whole(self._ports, json.dumps(asdict(ports)).encode())

    def cluster_id(self) -> str | None:
        """Give the id that the data was formatted with; None where it was not, or not to the end."""
        try:
            lines = (self.data / "meta.properties").read_text().splitlines()
        except OSError:
            return None
        return next((line.partition("=")[2].strip() for line in lines if line.startswith("cluster.id=")), None)

    def write_configuration(self, ports: Ports) -> None:
        """Write `server.properties`."""
        self.configuration.write_text(server_properties(ports, self.data.resolve()), encoding="ascii")

    def begin_log(self) -> None:
        """Start a new log and keep one old."""
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))


def choose_ports(kept: Ports | None, wanted: Sequence[int], free: Callable[[int], bool] = is_free) -> Ports:
    """Give the first wanted port that is free, else another, and the kept port of the controller where it is free."""
    others = filter(free, free_ports())
    broker = next(filter(free, wanted), None) or next(others)
    if kept and kept.controller != broker and free(kept.controller):
        return Ports(broker, kept.controller)
    return Ports(broker, next(port for port in others if port != broker))


def new_cluster_id() -> str:
    """Give a random id in Kafka's form; it may not begin with a dash, which a command line takes for an option."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text
