"""Which tickers a live source has, and which of them it plays. Pure."""

from collections.abc import Sequence

from msgspec import Struct

from schemas.errors import TickcastError
from schemas.events import SourceAction
from schemas.symbols import InvalidTickerError, normalise_ticker

#: They all stand in every report of the ingestor.
_MOST_TICKERS = 10_000
#: Tickers that a refusal names.
_NAMED = 10


class RefusedChangeError(TickcastError):
    """The roster cannot be changed so; the words say why, and what would be right."""


class Roster(Struct, frozen=True):
    """The tickers of a source, in order, each once.

    Attributes:
        paused_ns: Those that are listed and not played; since when.
    """

    tickers: tuple[str, ...]
    paused_ns: dict[str, int] = {}

    @property
    def playing(self) -> tuple[str, ...]:
        """Give those that are played."""
        return tuple(ticker for ticker in self.tickers if ticker not in self.paused_ns)

    def after(self, action: SourceAction, tickers: Sequence[str], now_ns: int) -> "Roster":
        """Give the roster that an action makes of this one; to do it again changes nothing.

        Args:
            tickers: Which; empty: all that it has.
            now_ns: The time since which those are paused that were not before.

        Raises:
            RefusedChangeError: A ticker is none, or not in the roster, or they would be too many.
        """
        named = _normalised(tickers) if tickers else self.tickers
        if action is SourceAction.ADD:
            return self._with(named if tickers else ())
        self._require_listed(named)
        if action is SourceAction.PAUSE:
            return Roster(self.tickers, dict.fromkeys(named, now_ns) | self.paused_ns)
        paused_ns = _without(self.paused_ns, named)
        if action is SourceAction.RESUME:
            return Roster(self.tickers, paused_ns)
        gone = set(named)
        return Roster(tuple(ticker for ticker in self.tickers if ticker not in gone), paused_ns)

    def _with(self, named: Sequence[str]) -> "Roster":
        if not named:
            raise RefusedChangeError("name the tickers to add, like AAPL: a market has too many")
        tickers = tuple(sorted({*self.tickers, *named}))
        if len(tickers) > _MOST_TICKERS:
            raise RefusedChangeError(f"{len(tickers)} tickers are more than {_MOST_TICKERS}: add fewer")
        return Roster(tickers, _without(self.paused_ns, named))

    def _require_listed(self, named: Sequence[str]) -> None:
        unknown = sorted(set(named) - set(self.tickers))
        if unknown:
            there = short_list(self.tickers) or "none"
            raise RefusedChangeError(f"{short_list(unknown)} is not among its tickers: it has {there}")


def short_list(tickers: Sequence[str]) -> str:
    """Name the first of them, and how many there are more."""
    more = f" and {len(tickers) - _NAMED} more" if len(tickers) > _NAMED else ""
    return ", ".join(tickers[:_NAMED]) + more


def _normalised(tickers: Sequence[str]) -> tuple[str, ...]:
    try:
        return tuple(sorted({normalise_ticker(ticker) for ticker in tickers}))
    except InvalidTickerError as error:
        raise RefusedChangeError(str(error)) from error


def _without(paused_ns: dict[str, int], named: Sequence[str]) -> dict[str, int]:
    gone = set(named)
    return {ticker: since_ns for ticker, since_ns in paused_ns.items() if ticker not in gone}
