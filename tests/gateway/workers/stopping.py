"""A worker that ends on purpose, in a module that its process imports quickly."""

import signal
import socket
import sys
from multiprocessing.connection import Connection

from gateway.settings import GatewaySettings
from gateway.workers.team import Post
from schemas.errors import EXIT_STOP_AND_SAY


def stop_and_say(_settings: GatewaySettings, _listener: socket.socket, post: Post, orders: Connection) -> None:
    """Be a worker: the first says that it must not be started again, the others wait for the order to stop."""
    if post.number == 1:
        sys.exit(EXIT_STOP_AND_SAY)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    assert orders.recv_bytes()
