"""Is a stream heard? How far has it come?"""

from ingestor.sources.live.sessions import Sessions
from schemas.times import NS_PER_SECOND


class Hearing:
    """What is known of a stream from when its ticks came.

    Args:
        lateness_seconds: A tick may come so long after its time.
        mute_seconds: So long without a tick, while the exchange is open, and the stream counts as dead.
        closing_seconds: What was before a close may come for so long after it.
    """

    def __init__(
        self, sessions: Sessions, lateness_seconds: float, mute_seconds: float, closing_seconds: float = 0.0
    ) -> None:
        self._sessions = sessions
        self._lateness_ns = int(lateness_seconds * NS_PER_SECOND)
        self.mute_seconds = mute_seconds
        self._mute_ns = int(mute_seconds * NS_PER_SECOND)
        self._closing_ns = int(closing_seconds * NS_PER_SECOND)
        self._since_ns = 0
        self.last_tick_ns: int | None = None
        self._newest_ns: int | None = None

    def connected(self, now_ns: int) -> None:
        """Begin anew: nothing has been heard."""
        self._since_ns, self._newest_ns = now_ns, None

    def heard(self, newest_ns: int, now_ns: int) -> None:
        """Note ticks, by the time of the newest one."""
        self._since_ns = self.last_tick_ns = now_ns
        self._newest_ns = newest_ns if self._newest_ns is None else max(self._newest_ns, newest_ns)

    @property
    def latency_seconds(self) -> float | None:
        """Give the time from the newest tick to its coming."""
        if self.last_tick_ns is None or self._newest_ns is None:
            return None
        return max(0, self.last_tick_ns - self._newest_ns) / NS_PER_SECOND

    def silent_ns(self, now_ns: int) -> int:
        """Give for how long no tick came although the exchange was open."""
        return self._sessions.open_ns_between(self._since_ns, now_ns)

    def trouble(self, now_ns: int) -> str | None:
        """Say that it is suspiciously silent; None: it is not."""
        if self.silent_ns(now_ns) <= self._mute_ns / 2:
            return None
        seconds = self.silent_ns(now_ns) / NS_PER_SECOND
        return f"connected, but no tick for {seconds:.0f} s while the exchange is open"

    def is_mute(self, now_ns: int) -> bool:
        """Tell whether it has been silent for too long."""
        return self.silent_ns(now_ns) > self._mute_ns

    def watermark_ns(self, now_ns: int, *, idle: bool) -> int | None:
        """Give the time before which everything has come; None: unknown.

        While the exchange is open, silence may be a dead connection, and what waits in it has not come: then the newest
        tick is all that is proved. Some time after the close, an idle stream has said everything.

        Args:
            idle: Nothing waits to be read.
        """
        latest_ns = now_ns - self._lateness_ns
        if idle and not self._sessions.open_ns_between(now_ns - self._closing_ns, now_ns + 1):
            return latest_ns
        return None if self._newest_ns is None else min(latest_ns, self._newest_ns + 1)
