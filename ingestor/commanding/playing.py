"""What plays, by what the ingestors say. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from schemas.errors import StopAndSayError
from schemas.events import ServiceState, ServiceStatus, SourceStatus
from schemas.times import NS_PER_SECOND

#: Who has said nothing for so long may be dead: three reports are missing.
_SILENT_SECONDS = 15


class Playing(NamedTuple):
    """A source that an ingestor plays, and the ingestor's word on itself."""

    source: SourceStatus
    status: ServiceStatus


def playing_now(statuses: Iterable[ServiceStatus], now_ns: int) -> list[Playing]:
    """Give what plays, by the newest word of each ingestor, in the order of the names."""
    newest = {(status.service, status.instance): status for status in statuses}
    return sorted(
        (
            Playing(source, status)
            for status in newest.values()
            for source in status.sources
            if status.state is not ServiceState.STOPPING
            and now_ns - status.updated_at_ns < _SILENT_SECONDS * NS_PER_SECOND
        ),
        key=lambda each: each.source.source,
    )


def require_changeable(playing: Sequence[Playing], name: str) -> SourceStatus:
    """Give the source that a command is for: by its name, or what it plays, or the first that takes commands.

    Raises:
        StopAndSayError: None plays by this name, or it takes no commands; the line names those that do.
    """
    sources = [each.source for each in playing]
    found = [source for source in sources if name in ("", source.source, *source.plays.split(","))]
    changeable = [source for source in found if source.changeable]
    if changeable:
        return changeable[0]
    there = ", ".join(source.source for source in sources if source.changeable) or "none"
    if found:
        what = " and ".join(source.plays for source in found)
        raise StopAndSayError(f"the tickers of {what} cannot be changed; live sources that play: {there}")
    if not sources:
        raise StopAndSayError("no ingestor has reported lately: start one, like `tickcast run --source alpaca`")
    raise StopAndSayError(f"--source {name!r} does not play; live sources that do: {there}")
