"""Ports on 127.0.0.1 for what listens there for long."""

import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass

HOST = "127.0.0.1"
#: Below what systems hand out to outgoing connections, so that a port once chosen is still free after a restart.
_RANGE = (20_000, 32_000)
_TRIES = 200


@dataclass(frozen=True)
class Ports:
    """Where the node listens, on 127.0.0.1."""

    broker: int
    controller: int

    @property
    def bootstrap_servers(self) -> str:
        """Give the address for clients."""
        return f"{HOST}:{self.broker}"


def is_free(port: int) -> bool:
    """Tell whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_ports() -> Iterator[int]:
    """Give free ports, each once, in no order."""
    for port in random.SystemRandom().sample(range(*_RANGE), _TRIES):
        if is_free(port):
            yield port
