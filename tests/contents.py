"""One id, one content."""

from collections.abc import Iterable
from typing import Any

from tests.brokers import Record

#: Times of processing and places are not content: another life of a process may say them otherwise.
NOT_CONTENT = {
    "closed_at_ns",
    "featured_at_ns",
    "predicted_at_ns",
    "settled_at_ns",
    "ingested_at_ns",
    "source_partition",
    "source_offset",
}


def content_of(event: Any) -> dict[str, Any]:
    """Give what must be the same wherever an event's id stands."""
    return {name: getattr(event, name) for name in event.__struct_fields__ if name not in NOT_CONTENT}


def contents(records: Iterable[Record]) -> dict[str, dict[str, Any]]:
    """Give each id's content, and check that no id has two."""
    seen: dict[str, dict[str, Any]] = {}
    for record in records:
        event = record.event()
        content = content_of(event)
        assert seen.setdefault(event.id, content) == content, f"{event.id} was said twice with another content"
    return seen
