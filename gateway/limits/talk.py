"""How much a client may say on one connection."""

from gateway.commands import RefusedError
from gateway.limits.buckets import Buckets, whole_seconds
from schemas.sockets import ErrorMessage

#: Who goes on after so many refusals in a row does not read them.
PATIENCE = 100


class Talk:
    """One connection's."""

    def __init__(self, buckets: Buckets, session: str) -> None:
        self._buckets = buckets
        self._session = session
        self._refused = 0

    @property
    def is_too_much(self) -> bool:
        """Tell whether so many messages were refused in a row that the connection should end."""
        return self._refused >= PATIENCE

    def refusal(self) -> ErrorMessage | None:
        """Count a message; tell why it is not read."""
        left, next_ns = self._buckets.take(self._session)
        if left >= 0:
            self._refused = 0
            return None
        self._refused += 1
        limit = self._buckets.limit
        text = (
            f"more than {limit.burst:,} messages at once, then {limit.per_second:g} a second: "
            f"wait {whole_seconds(next_ns)} s, and name many tickers in one message"
        )
        return RefusedError("rate_limited", text).message()
