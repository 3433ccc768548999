"""The Quix Streams application of both of its contestants: its defaults, a group and a state folder of its own."""

from typing import Any

from quixstreams import Application
from quixstreams.models import Serializer, Topic

from benchmarks.feature_stage.workers.events import Event, headers_of, topic_of
from feature_stream.settings import FeatureStreamSettings
from schemas.codec import encode
from schemas.topics import BARS, FEATURES


class EventSerializer(Serializer):
    """Write an event with the codec that all share."""

    def __call__(self, value: Event, ctx: Any) -> bytes:  # noqa: ARG002 # Quix calls it so
        """Give its JSON."""
        return encode(value)


def quix_group(settings: FeatureStreamSettings) -> str:
    """Name the group; Quix's changelog topics carry its name."""
    return f"{settings.topic_prefix}{settings.instance}"


def make_app(settings: FeatureStreamSettings, consumer_config: dict[str, str] | None = None) -> Application:
    """Make the application; at-least-once, changelogs on."""
    return Application(
        broker_address=settings.kafka_bootstrap_servers,
        consumer_group=quix_group(settings),
        auto_offset_reset="earliest",
        commit_interval=settings.checkpoint_interval_ms / 1_000,
        state_dir=settings.data_directory,
        use_changelog_topics=True,
        loglevel="WARNING",
        consumer_extra_config=consumer_config,
    )


def send_to_topics(app: Application, events: Any, settings: FeatureStreamSettings) -> None:
    """Produce each event to its topic under its ticker, with its headers.

    Args:
        app: Whose topics they become.
        events: A `StreamingDataFrame` of events.
        settings: Of the run.
    """
    topics: dict[str, Topic] = {
        topic.name: app.topic(
            settings.topic_prefix + topic.name, key_serializer="str", value_serializer=EventSerializer()
        )
        for topic in (BARS, FEATURES)
    }
    events = events.set_headers(lambda event, *_: headers_of(event))
    events.to_topic(lambda event, *_: topics[topic_of(event).name], key=lambda event: event.ticker)
