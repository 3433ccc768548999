"""A Kafka of one test, killed like any other member."""

from pathlib import Path

from deploy.kafka.ports import is_free
from deploy.kafka.server import LocalKafka, start_local_kafka
from schemas.broker import wait_until
from tests.brokers import Server
from tests.servers import local_kafka_settings


class KillableKafka:
    """One node on one folder; every life has the same port and the same data.

    Raises:
        UnavailableError: Kafka's jars cannot be had.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._node = self._start()
        self.is_up = True
        self.server = Server(self._node.ports.bootstrap_servers, embedded=False)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.is_up = False
        self._node.process.kill()
        self._node.process.wait()
        self._node.release()

    def start_again(self) -> None:
        """Start it where it was, and return when it answers."""
        port = self._node.ports.broker
        wait_until(lambda: is_free(port), seconds=60, what=f"port {port} being free again")
        self._node = self._start()
        assert self._node.ports.broker == port, "the broker's port was taken meanwhile"
        self.is_up = True

    def stop(self) -> None:
        """End it for good."""
        self._node.stop()

    def _start(self) -> LocalKafka:
        return start_local_kafka(self._folder, local_kafka_settings(), print)
