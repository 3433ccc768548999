"""How many files and sockets this process may have open."""

import logging
import resource

#: Beside the connections of clients: Kafka, our own HTTP clients, databases, the listener, logs.
OTHER_FILES = 200

_log = logging.getLogger(__name__)


def raise_file_limit(maximum_connections: int) -> None:
    """Raise the soft limit of open files to what so many connections need; warn where the hard limit is too low."""
    needed = maximum_connections + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < needed:
        _log.warning(
            "only %d files may be open, but %d connections need %d: raise the hard limit (ulimit -Hn), or lower "
            "TICKCAST_MAXIMUM_CLIENTS or TICKCAST_MAXIMUM_HTTP_CONNECTIONS",
            allowed,
            maximum_connections,
            needed,
        )
