"""How many files and sockets this process may have open."""

import logging
import resource

#: Beside the WebSocket clients: Kafka, HTTP clients, the listener, logs.
OTHER_FILES = 200

_log = logging.getLogger(__name__)


def raise_file_limit(maximum_clients: int) -> None:
    """Raise the soft limit of open files to what so many clients need, and warn where the hard limit is too low."""
    needed = maximum_clients + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < needed:
        _log.warning(
            "only %d files may be open, but TICKCAST_MAXIMUM_CLIENTS=%d needs %d: raise the hard limit (ulimit -Hn), "
            "or lower the setting",
            allowed,
            maximum_clients,
            needed,
        )
