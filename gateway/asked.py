"""What a request for predictions asks for, read with errors that name the field and the fix."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from gateway.entries import Entry
from gateway.parts import Parts
from gateway.problems import ProblemError, bad_request
from schemas.events import Direction
from schemas.symbols import InvalidTickerError, normalise_ticker
from schemas.times import from_rfc3339

#: Spans of time by name, in daily bars.
TIMEFRAMES = {"1d": 1, "1w": 5, "1mo": 21}
#: Means a month to some, a minute to others.
OLD_MONTH = "1m"
_DAILY = "1d"
_TOO_FAR_NS = 2**63


def read_symbol(text: str, field: str = "ticker") -> str:
    """Read a symbol, in any case.

    Raises:
        ProblemError: 400.
    """
    try:
        return normalise_ticker(text)
    except InvalidTickerError as error:
        raise bad_request("invalid-ticker", field, str(error)) from error


def read_horizon(parts: Parts, horizon: int | None) -> int:
    """Give the horizon, or the shortest.

    Raises:
        ProblemError: 400: it is not on offer.
    """
    on_offer = parts.settings.horizons
    if horizon is not None and horizon not in on_offer:
        choices = " or ".join(map(str, on_offer))
        detail = f"horizon {horizon} is not on offer: use horizon={choices} (bars)"
        raise bad_request("not-on-offer", "horizon", detail, horizons=list(on_offer))
    return horizon or on_offer[0]


def unknown_ticker(parts: Parts, ticker: str, *, guess: bool = True) -> ProblemError:
    """Give the answer where a ticker has no prediction.

    Args:
        guess: Look for tickers that may be meant; it takes a millisecond of the loop's time, too long for many tickers.
    """
    near = parts.latest.near(ticker) if guess else []
    hint = f"did you mean {' or '.join(near)}?" if near else "GET /predictions lists the tickers that have one"
    return ProblemError(
        HTTPStatus.NOT_FOUND,
        "unknown-ticker",
        f"there is no prediction for {ticker}: {hint}",
        field="ticker",
        ticker=ticker,
        near_matches=near,
        known_tickers=len(parts.latest),
    )


def find(parts: Parts, ticker: str, field: str = "ticker", *, guess: bool = True) -> Entry:
    """Give the latest of a ticker, in any case.

    Args:
        guess: As of `unknown_ticker`.

    Raises:
        ProblemError: 400, 404, or 503 where the view has not caught up.
    """
    symbol = read_symbol(ticker, field)
    parts.require_caught_up()
    entry = parts.latest.get(symbol)
    if entry is None:
        raise unknown_ticker(parts, symbol, guess=guess)
    return entry


def body_asked_for(entry: Entry, horizon: int | None, timeframe: str | None) -> bytes:
    """Give the JSON of a prediction, for one of its horizons where one is named.

    Raises:
        ProblemError: 400: both are given, or what is given is not on offer.
    """
    if horizon is None and timeframe is None:
        return entry.body
    if horizon is not None and timeframe is not None:
        raise bad_request("invalid-horizon", "horizon", "horizon and timeframe say the same: give one of them")
    on_offer = _on_offer(entry)
    bars = _bars(timeframe, entry.form.interval, on_offer) if horizon is None else horizon
    body = entry.body_of(bars)
    if body is None:
        field, value = ("horizon", horizon) if timeframe is None else ("timeframe", timeframe)
        raise bad_request("not-on-offer", field, f"{field} {value} is not on offer: {_choices(on_offer)}", **on_offer)
    return body


def _on_offer(entry: Entry) -> dict[str, list[Any]]:
    horizons = [one.horizon for one in entry.form.horizons]
    daily = entry.form.interval == _DAILY
    return {
        "horizons": horizons,
        "timeframes": [name for name, bars in TIMEFRAMES.items() if daily and bars in horizons],
    }


def _choices(on_offer: dict[str, list[Any]]) -> str:
    horizons = f"use horizon={' or '.join(map(str, on_offer['horizons']))} (bars)"
    timeframes = on_offer["timeframes"]
    return f"{horizons}, or timeframe={' or '.join(timeframes)}" if timeframes else horizons


def _bars(timeframe: str | None, interval: str, on_offer: dict[str, list[Any]]) -> int:
    if interval != _DAILY:
        detail = f"timeframe is of daily bars, and these are of {interval}: {_choices(on_offer)}"
        raise bad_request("not-on-offer", "timeframe", detail, **on_offer)
    bars = TIMEFRAMES["1mo"] if timeframe == OLD_MONTH else TIMEFRAMES.get(timeframe or "")
    if bars is None:
        detail = f"timeframe {(timeframe or '')[:32]!r} is not on offer: {_choices(on_offer)}"
        raise bad_request("not-on-offer", "timeframe", detail, **on_offer)
    return bars


def read_time(text: str, field: str) -> datetime:
    """Read an RFC 3339 time.

    Raises:
        ProblemError: 400.
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        detail = f"{field} {text[:40]!r} is not a time: write it as 2024-01-31T15:30:00Z (a + in a URL is %2B)"
        raise bad_request("invalid-time", field, detail)
    return time


def read_time_ns(text: str, field: str) -> int:
    """Read one as nanoseconds since 1970, as the database has them.

    Raises:
        ProblemError: 400.
    """
    read_time(text, field)
    time_ns = from_rfc3339(text)
    if abs(time_ns) >= _TOO_FAR_NS:
        raise bad_request(
            "invalid-time", field, f"{field} {text[:40]!r} is too far away: give a year from 1678 to 2261"
        )
    return time_ns


def write_cursor(ticker: str) -> str:
    """Give the place after a ticker, as an opaque text."""
    return base64.urlsafe_b64encode(ticker.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> str:
    """Give the ticker that a page ended with.

    Raises:
        ProblemError: 400.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return normalise_ticker(base64.b64decode(padded, b"-_", validate=True).decode("ascii"))
    except (ValueError, binascii.Error) as error:
        detail = "cursor is not one that this API gave: use next_cursor of the page before, or leave it out"
        raise bad_request("invalid-cursor", "cursor", detail) from error


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which of all predictions are wanted. Confidence and direction are those of the shortest horizon."""

    tickers: frozenset[str] | None = None
    min_confidence: float = 0.0
    direction: Direction | None = None
    since: datetime | None = None
    after: str = ""

    def among(self, entries: Iterable[Entry]) -> list[Entry]:
        """Give those that are wanted, in the order given."""
        return [entry for entry in entries if self._wants(entry)]

    def _wants(self, entry: Entry) -> bool:
        if entry.ticker <= self.after or entry.confidence < self.min_confidence:
            return False
        if self.tickers is not None and entry.ticker not in self.tickers:
            return False
        if self.direction is not None and entry.form.prediction.direction is not self.direction:
            return False
        return self.since is None or datetime.fromisoformat(entry.form.updated_at) > self.since
