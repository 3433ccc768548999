"""What a subscription leaves out, by its options. The clock comes in as an argument."""

from dataclasses import dataclass, field

from gateway.entries import Entry
from schemas.sockets import Subscribe


@dataclass(frozen=True, slots=True)
class Options:
    """How a client wants its tickers; names and meaning as in `Subscribe`."""

    max_rate: float | None = None
    min_confidence: float | None = None
    final_only: bool = False
    packed: bool = False

    @property
    def gapless(self) -> bool:
        """Tell whether every record comes."""
        return self.max_rate is None and self.min_confidence is None and not self.final_only

    def let(self, entry: Entry) -> bool:
        """Tell whether an entry comes, however many came before."""
        if self.final_only and not entry.final:
            return False
        return self.min_confidence is None or entry.confidence >= self.min_confidence


#: Every record, as JSON.
PLAIN = Options()


def options_of(command: Subscribe) -> Options:
    """Give what a client's message asks for; `PLAIN` itself where that is nothing."""
    options = Options(command.max_rate, command.min_confidence, command.final_only, command.format == "msgpack")
    return PLAIN if options == PLAIN else options


@dataclass(eq=False, slots=True)
class Wish:
    """Options at work, for the tickers of one message.

    With `max_rate`, a provisional entry that comes too early waits; a newer one of its ticker takes its place.
    """

    options: Options = PLAIN
    _next_s: dict[str, float] = field(default_factory=dict)
    _waiting: dict[str, Entry] = field(default_factory=dict)

    def offer(self, entry: Entry, now_s: float) -> bool:
        """Tell whether an entry goes out now."""
        options = self.options
        if not options.let(entry):
            return False
        if options.max_rate is None:
            return True
        if not entry.final and now_s < self._next_s.get(entry.ticker, now_s):
            self._waiting[entry.ticker] = entry
            return False
        self._waiting.pop(entry.ticker, None)
        self._next_s[entry.ticker] = now_s + 1 / options.max_rate
        return True

    def due(self, now_s: float) -> list[Entry]:
        """Give what has waited long enough."""
        ready = [entry for ticker, entry in self._waiting.items() if now_s >= self._next_s[ticker]]
        return [entry for entry in ready if self.offer(entry, now_s)]

    def forget(self, ticker: str) -> None:
        """Let go of a ticker."""
        self._waiting.pop(ticker, None)
        self._next_s.pop(ticker, None)
