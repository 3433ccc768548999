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


def try_port(host: str, port: int) -> int:
    """Take a port as a server would, let go of it, and give it; a free one for 0.

    Raises:
        OSError: Somebody listens there, or the host is not this machine.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        return int(probe.getsockname()[1])


def is_free(port: int, host: str = HOST) -> bool:
    """Tell whether a server could listen there now."""
    try:
        return try_port(host, port) == port
    except OSError:
        return False


def free_ports() -> Iterator[int]:
    """Give free ports, each once, in no order."""
    for port in random.SystemRandom().sample(range(*_RANGE), _TRIES):
        if is_free(port):
            yield port
