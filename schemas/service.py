"""How a service begins and ends, and its `/metrics` and `/health`."""

import gc
import json
import logging
import signal
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NoReturn

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

from schemas import VERSION
from schemas.errors import EXIT_STOP_AND_SAY, StopAndSayError, TickcastError
from schemas.events import ServiceState
from schemas.logs import configure_logs
from schemas.metrics import READY
from schemas.settings import AnySettings, load_settings
from schemas.status import StatusBoard

_log = logging.getLogger(__name__)
_OBJECTS_BETWEEN_COLLECTIONS = 50_000


def run_service(name: str, settings_type: type[AnySettings], run: Callable[[AnySettings], None]) -> NoReturn:
    """Load settings, configure logs, run, and exit with a code that says what a supervisor should do."""
    run_with_settings(name, lambda: load_settings(settings_type), run)


def run_with_settings(name: str, load: Callable[[], AnySettings], run: Callable[[AnySettings], None]) -> NoReturn:
    """Do the same with settings that come from elsewhere."""
    try:
        settings = load()
        configure_logs(name, settings.log_level, settings.log_format)
        run(settings)
    except StopAndSayError as error:
        print(f"{name}: {error}", file=sys.stderr, flush=True)
        sys.exit(EXIT_STOP_AND_SAY)
    except TickcastError as error:
        print(f"{name}: {error}", file=sys.stderr, flush=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(0)
    sys.exit(0)


def collect_seldom() -> None:
    """Let the garbage collector look for cycles seldom, and never through what is there already.

    Every frame makes hundreds of objects that die at once without it; Python's 700 would look for cycles at each of
    them, through the states of all tickers.
    """
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)


def stop_event_on_signals() -> threading.Event:
    """Give an event that SIGTERM and SIGINT set; for services with a loop of their own."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


class _Handler(BaseHTTPRequestHandler):
    board: StatusBoard
    of_board: CollectorRegistry

    def do_GET(self) -> None:
        if self.path == "/metrics":
            self._answer(200, CONTENT_TYPE_LATEST, generate_latest(REGISTRY) + generate_latest(self.of_board))
        elif self.path == "/health":
            self._answer_health(self.board.state, self.board.trouble)
        else:
            self._answer(404, "text/plain", b"there are /metrics and /health\n")

    def _answer_health(self, state: ServiceState, trouble: str | None) -> None:
        serves = state not in (ServiceState.STARTING, ServiceState.STOPPING)
        healthy = serves and trouble is None
        status = "healthy" if healthy else "unhealthy" if serves else state
        body = {"status": status, "state": state, "version": VERSION}
        if trouble is not None:
            body["reason"] = trouble
        self._answer(200 if healthy else 503, "application/json", json.dumps(body).encode())

    def _answer(self, code: int, content_type: str, body: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep scrapes out of the log."""


def serve_metrics(board: StatusBoard, host: str, port: int) -> ThreadingHTTPServer:
    """Serve `/metrics` and `/health` from a thread; on a free port where the wanted one is taken."""
    of_board = CollectorRegistry()
    READY.gauge(of_board).set_function(lambda: board.is_well)
    handler = type("Handler", (_Handler,), {"board": board, "of_board": of_board})
    try:
        server = ThreadingHTTPServer((host, port), handler)
    except OSError:
        server = ThreadingHTTPServer((host, 0), handler)
        _log.warning("port %d is taken: /metrics is on port %d", port, server.server_address[1])
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
