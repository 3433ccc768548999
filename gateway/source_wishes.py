"""What callers ask of a source that plays, with errors that name the field and the fix. Pure."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Struct

from gateway.bodies import read_as
from gateway.job_ids import request_digest
from gateway.problems import ProblemError, bad_request
from gateway.sources import PlayingSource
from schemas.events import SourceAction, SourceCommand
from schemas.symbols import InvalidTickerError, normalise_ticker

#: Tickers of one request.
_MOST_TICKERS = 5_000


class SourceBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which tickers; an empty list means all that the source has."""

    tickers: list[str] = []


class SourceWish(Struct, frozen=True, kw_only=True):
    """What is asked for, whoever asks."""

    source: str
    action: SourceAction
    tickers: list[str]

    #: Nothing is to be added to the answer.
    note = None

    @property
    def about(self) -> str:
        """Say what it changes."""
        return f"{', '.join(self.tickers[:10]) or 'all tickers'} of {self.source}"

    def digest(self) -> str:
        """Give what tells this wish from others."""
        return request_digest(msgspec.to_builtins(self))

    def command(self, job_id: str, requested_by: str, now_ns: int) -> SourceCommand:
        """Give the command to the ingestor."""
        return SourceCommand(
            id=job_id,
            source=self.source,
            action=self.action,
            requested_by=requested_by,
            requested_at_ns=now_ns,
            tickers=self.tickers,
        )


def source_wish(playing: Sequence[PlayingSource], name: str, action: SourceAction, given: Any) -> SourceWish:
    """Ask for other tickers of a source, which is found by its name or by what it plays.

    Raises:
        ProblemError: 400; 404 where no such source plays, 409 where its tickers cannot be changed.
    """
    source = _changeable(playing, name)
    body = read_as(given, SourceBody, '{"tickers": ["AAPL", "MSFT"]}')
    tickers = sorted({_ticker(text, index) for index, text in enumerate(body.tickers)})
    if action is SourceAction.ADD and not tickers:
        raise bad_request("invalid-input", "tickers", "name the tickers to add, like AAPL: a market has too many")
    if len(tickers) > _MOST_TICKERS:
        raise bad_request("invalid-input", "tickers", f"{len(tickers)} tickers: name at most {_MOST_TICKERS:,} at once")
    return SourceWish(source=source.source, action=action, tickers=tickers)


def _changeable(playing: Sequence[PlayingSource], name: str) -> PlayingSource:
    there = [source.source for source in playing]
    found = [source for source in playing if name in (source.source, *source.plays.split(","))]
    changeable = [source for source in found if source.changeable]
    if changeable:
        return changeable[0]
    if found:
        detail = f"{name} plays the tickers of its settings: only those of live sources can be changed while they play"
        raise ProblemError(HTTPStatus.CONFLICT, "tickers-fixed", detail, field="source")
    detail = f"no source {name[:100]!r} plays; those that do: {', '.join(there) or 'none, as far as is known'}"
    raise ProblemError(HTTPStatus.NOT_FOUND, "unknown-source", detail, field="source", known_sources=there)


def _ticker(text: str, index: int) -> str:
    try:
        return normalise_ticker(text)
    except InvalidTickerError as error:
        raise bad_request("invalid-ticker", f"tickers[{index}]", str(error)) from error
