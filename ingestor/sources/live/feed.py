"""A provider as a live source uses it: its streams, and what is known of what came through them."""

from dataclasses import dataclass, field

from ingestor.sources.live.connecting import Connecting
from ingestor.sources.live.figures import LiveFigures
from ingestor.sources.live.hearing import Hearing
from ingestor.sources.live.known import KnownTicks
from ingestor.sources.live.provider import Provider
from ingestor.sources.live.sessions import Sessions
from schemas.times import NS_PER_SECOND


@dataclass(kw_only=True)
class Feed:
    """One provider of a live source.

    Attributes:
        sessions: When its ticks are to be expected.
        trouble: Why nothing comes from it; None: it is connected.
    """

    name: str
    provider: Provider
    sessions: Sessions
    hearing: Hearing
    connecting: Connecting
    figures: LiveFigures
    trouble: str | None = "not connected yet"
    known: KnownTicks = field(init=False)

    def __post_init__(self) -> None:
        """Begin with no ticks."""
        self.known = KnownTicks(self.provider.traits.identity_ticks)

    @property
    def delay_ns(self) -> int:
        """Give how much later than it happens everything is said."""
        return int(self.provider.traits.delay_seconds * NS_PER_SECOND)

    def told_ns(self, now_ns: int) -> int:
        """Give the time up to which it has told everything, if it is in time."""
        return now_ns - self.delay_ns

    @property
    def settled_ns(self) -> int:
        """Give how long after its end a bar is in the provider's history."""
        return int(self.provider.traits.settled_seconds * NS_PER_SECOND)
