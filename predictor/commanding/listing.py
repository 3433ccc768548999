"""The sets that decisions name and that lie on disk, a row each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from msgspec import Struct

from predictor.manifest import Manifest
from schemas.events import ModelEvent
from schemas.terminal import safe, table_lines
from schemas.times import to_rfc3339

_HEADINGS = ("SET", "ROLE", "TRAINED THROUGH", "DECIDED", "BY", "DECISION", "DISK", "STORE")
_DECISION_WIDTH = 80


@dataclass(frozen=True)
class Found:
    """A set on disk, and the SHA-256 of its manifest."""

    manifest: Manifest
    manifest_sha256: str


class Row(Struct, frozen=True, kw_only=True):
    """A set. `decided_at` and the three after it are the newest decision's that is about it.

    Attributes:
        role: What it is now: `serving`, `challenger`, or empty.
        in_store: Null where nobody knows: the store does not answer, or no manifest's SHA-256 is known.
    """

    model_set: str
    role: str
    trained_through: str | None
    decided_at: str | None
    decided_by: str
    action: str
    reason: str
    manifest_sha256: str | None
    on_disk: bool
    in_store: bool | None = None


def rows_of(newest_first: Sequence[ModelEvent], on_disk: Mapping[str, Found]) -> list[Row]:
    """Give the sets, those that were decided on last first, then those on disk that no decision names."""
    named = (name for event in newest_first for name in (event.serving, event.challenger, event.model_set))
    names = dict.fromkeys([*(name for name in named if name), *on_disk])
    return [_row(name, newest_first, on_disk.get(name)) for name in names]


def _row(name: str, newest_first: Sequence[ModelEvent], found: Found | None) -> Row:
    about = next((event for event in newest_first if event.model_set == name), None)
    train_end_ns = found.manifest.train_end_ns if found else _train_end_ns(name, newest_first)
    return Row(
        model_set=name,
        role=_role(name, newest_first[0]) if newest_first else "",
        trained_through=None if train_end_ns is None else _time(train_end_ns),
        decided_at=_time(about.decided_at_ns) if about else None,
        decided_by=about.decided_by if about else "",
        action=about.action if about else "",
        reason=about.reason if about else "",
        manifest_sha256=_manifest_sha256(name, newest_first) or (found.manifest_sha256 if found else None),
        on_disk=found is not None,
    )


def _role(name: str, holds: ModelEvent) -> str:
    if name == holds.serving:
        return "serving"
    if name == holds.challenger:
        return f"challenger, {holds.challenger_share:.0%}" if holds.challenger_share else "challenger"
    return ""


def _train_end_ns(name: str, newest_first: Sequence[ModelEvent]) -> int | None:
    """Give it from a decision: it is the serving set's there, or that of the set it is about where none serves."""
    return next((event.train_end_ns for event in newest_first if (event.serving or event.model_set) == name), None)


def _manifest_sha256(name: str, newest_first: Sequence[ModelEvent]) -> str | None:
    for event in newest_first:
        for named, sha256 in ((event.serving, event.manifest_sha256), (event.challenger, event.challenger_sha256)):
            if named == name and sha256 is not None:
                return sha256
    return None


def _time(time_ns: int) -> str:
    try:
        return to_rfc3339(time_ns - time_ns % 1_000_000_000)
    except (OverflowError, ValueError, OSError):  # anybody can write a decision
        return f"time {time_ns}"


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Give the lines of a table."""
    yield from table_lines([_HEADINGS, *map(_cells, rows)])


def _cells(row: Row) -> tuple[str, ...]:
    decision = f"{row.action}: {row.reason}" if row.reason else row.action
    if len(decision) > _DECISION_WIDTH:
        decision = decision[: _DECISION_WIDTH - 1] + "…"
    in_store = "?" if row.in_store is None else "yes" if row.in_store else "no"
    cells = (row.model_set, row.role, row.trained_through or "?", row.decided_at or "", row.decided_by, decision)
    return *cells, "yes" if row.on_disk else "no", in_store


def now_line(newest_first: Sequence[ModelEvent]) -> str:
    """Say what serves now, and by whose decision."""
    if not newest_first:
        return "no decision on models yet: the statistical forecaster answers"
    holds = newest_first[0]
    serves = (
        f"model set {holds.serving} serves" if holds.serving else "no set serves: the statistical forecaster answers"
    )
    return safe(
        f"{serves}; {holds.decided_by} decided so at {_time(holds.decided_at_ns)}: {holds.reason or holds.action}"
    )
