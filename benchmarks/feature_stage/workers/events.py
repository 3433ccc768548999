"""Events as records: the same key, value and headers for all."""

from schemas.codec import Headers, event_headers
from schemas.events import Bar, Features
from schemas.topics import BARS, FEATURES, Topic

Event = Bar | Features


def topic_of(event: Event) -> Topic:
    """Give the topic that an event goes to."""
    return BARS if isinstance(event, Bar) else FEATURES


def headers_of(event: Event) -> Headers:
    """Give the headers that Tickcast gives, an own trace included."""
    if isinstance(event, Bar):
        return event_headers("Bar", "contestant", event.id, event.closed_at_ns)
    return event_headers("Features", "contestant", event.id, event.featured_at_ns)
