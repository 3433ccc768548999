"""What each key asked for and was sent, as people see it. Pure."""

from collections.abc import Iterable

from msgspec import Struct
from sqlalchemy import RowMapping

from schemas.public import Integer


class KeyUsage(Struct, frozen=True, kw_only=True):
    """One key in one month (UTC), or one user who came with tokens.

    Attributes:
        key: Its id, or the user's.
        errors: Requests that were answered with 400 or above.
        messages: Sent on WebSockets and as server-sent events.
        bytes: Of bodies and messages, before any compression.
    """

    key: str
    name: str
    month: str
    requests: Integer
    errors: Integer
    messages: Integer
    bytes: Integer


class UsageReport(Struct, frozen=True, kw_only=True):
    """Newest months first. Where nobody is asked for a key, nothing is `counted`, and `message` says so."""

    counted: bool
    message: str
    usage: list[KeyUsage]


def usage_report(rows: Iterable[RowMapping]) -> UsageReport:
    """Give what the database holds."""
    return UsageReport(counted=True, message="", usage=[_key_usage(row) for row in rows])


def nothing_counted() -> UsageReport:
    """Say that there is nothing to report, and why."""
    message = "nobody is asked for a key, so nothing is counted: set TICKCAST_AUTH_REQUIRED=true"
    return UsageReport(counted=False, message=message, usage=[])


def _key_usage(row: RowMapping) -> KeyUsage:
    values = {name: row[name] for name in ("month", "requests", "errors", "messages", "bytes")}
    return KeyUsage(key=row["key_id"], name=row["name"] or "", **values)
