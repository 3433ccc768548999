"""Whether to come back after a connection ended, and when."""

from gateway.client.backoff import Backoff
from gateway.client.errors import RefusedError
from gateway.client.events import Disconnected
from schemas.close_codes import means_reconnect

#: Of a refused handshake, those that pass: timeout, too early, too many; whatever is the server's own fault, too.
_PASSING_STATUSES = {408, 425, 429}


class Reconnection:
    """Of one stream.

    Attributes:
        told_seconds: When the gateway that shuts down wants to be left alone for; None: it said nothing.
    """

    def __init__(self, backoff: Backoff) -> None:
        self.told_seconds: float | None = None
        self._backoff = backoff

    def after_close(self, code: int | None, reason: str, lasted_seconds: float) -> Disconnected:
        """Decide after the end of a connection.

        Args:
            code: Of the close; None where the network failed.
            lasted_seconds: How long it stood.

        Raises:
            RefusedError: The gateway does not want us back.
        """
        if code is not None and not means_reconnect(code):
            raise RefusedError(code, reason)
        told_seconds, self.told_seconds = self.told_seconds, None
        delay_seconds = self._backoff.next_delay_seconds(lasted_seconds)
        return Disconnected(code, reason, delay_seconds if told_seconds is None else told_seconds)

    def after_refusal(self, status: int, reason: str, retry_after_seconds: float | None) -> Disconnected:
        """Decide after a refused handshake.

        Args:
            status: Of HTTP.

        Raises:
            RefusedError: Trying again would change nothing.
        """
        if status < 500 and status not in _PASSING_STATUSES:
            raise RefusedError(status, reason)
        return Disconnected(status, reason, (retry_after_seconds or 0.0) + self._backoff.next_delay_seconds())
