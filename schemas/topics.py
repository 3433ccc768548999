"""The one table of topics."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct

from schemas import events

_DAY_MS = 86_400_000
_MIB = 1_048_576


class Cleanup(StrEnum):
    """Kafka's `cleanup.policy`."""

    DELETE = "delete"
    COMPACT = "compact"


@dataclass(frozen=True)
class Topic:
    """One topic of the contract.

    Attributes:
        name: Without the deployment's prefix.
        event: The type of its values; None for a topic of original bytes or of Faust's.
        key: What the record key is, in words.
        by_ticker: It has the partition count of `ticks`; others have one partition.
        retention_ms: None keeps everything.
        whole_ms: Compaction leaves records alone for so long.
        bounded: Also bounded in bytes a partition, by `Settings.topic_retention_bytes`.
        cloud_events: Its records carry the headers of `schemas.codec.event_headers`.
    """

    name: str
    event: type[Struct] | None
    key: str
    description: str
    by_ticker: bool = True
    cleanup: Cleanup = Cleanup.DELETE
    retention_ms: int | None = None
    whole_ms: int = 0
    bounded: bool = False
    cloud_events: bool = False
    written_by: str = ""

    def config(self, retention_bytes: int) -> dict[str, str]:
        """Give the topic's configuration in Kafka's names."""
        if self.cleanup is Cleanup.COMPACT:
            return {
                "cleanup.policy": "compact",
                "segment.bytes": str(16 * _MIB),
                "segment.ms": str(600_000),
                "min.cleanable.dirty.ratio": "0.1",
                "min.compaction.lag.ms": str(self.whole_ms),
            }
        config = {
            "cleanup.policy": "delete",
            "retention.ms": str(-1 if self.retention_ms is None else self.retention_ms),
            "message.timestamp.type": "CreateTime",
        }
        if self.bounded:
            config["retention.bytes"] = str(retention_bytes)
            config["segment.bytes"] = str(min(1_024 * _MIB, max(_MIB, retention_bytes // 8)))  # only whole ones go
        return config


TICKS = Topic(
    "ticks",
    events.TickFrame,
    "none; the partition is set",
    "Frames of ticks.",
    bounded=True,
    written_by="ingestor, dead-letter replay",
)
BARS = Topic("bars", events.Bar, "ticker", "Closed OHLCV bars.", cloud_events=True, written_by="feature_stream")
FEATURES = Topic(
    "features",
    events.Features,
    "ticker",
    "Indicators and the models' inputs, provisional and final.",
    retention_ms=7 * _DAY_MS,
    bounded=True,
    cloud_events=True,
    written_by="feature_stream",
)
PREDICTIONS = Topic(
    "predictions",
    events.Prediction,
    "ticker",
    "Final predictions, one or more a closed bar; the first counts.",
    retention_ms=30 * _DAY_MS,
    bounded=True,
    cloud_events=True,
    written_by="predictor",
)
PREDICTIONS_LATEST = Topic(
    "predictions-latest",
    events.Prediction,
    "ticker",
    "Every prediction, provisional ones too; compacted to the latest per ticker.",
    cleanup=Cleanup.COMPACT,
    whole_ms=120_000,  # the gateways hold the last minute, for clients that come back
    cloud_events=True,
    written_by="predictor",
)
OUTCOMES = Topic(
    "outcomes",
    events.Outcome,
    "ticker",
    "Matured predictions, and forecasts of a ticker from a caller's own prices, beside what happened.",
    cloud_events=True,
    written_by="feature_stream",
)
SCORES = Topic(
    "scores",
    events.Scoreboard,
    "ticker, or `*` for all",
    "Rolling errors, hit rates, coverage, weights, interval quantiles and drift.",
    retention_ms=7 * _DAY_MS,
    cloud_events=True,
    written_by="feature_stream",
)
MODELS = Topic(
    "models",
    events.ModelEvent,
    "model set",
    "The serving state after every decision.",
    by_ticker=False,
    cloud_events=True,
    written_by="trainer",
)
MODEL_COMMANDS = Topic(
    "model-commands",
    events.ModelCommand,
    "scope",
    "Retrain, load, unload, roll back.",
    by_ticker=False,
    retention_ms=7 * _DAY_MS,
    written_by="gateway, trainer, command line",
)
SOURCE_COMMANDS = Topic(
    "source-commands",
    events.SourceCommand,
    "source",
    "Add, remove, pause, resume tickers of a source.",
    by_ticker=False,
    retention_ms=7 * _DAY_MS,
    written_by="gateway, command line",
)
FORECAST_REQUESTS = Topic(
    "forecast-requests",
    events.ForecastRequest,
    "request id",
    "Forecasts asked for from the caller's own prices.",
    by_ticker=False,
    retention_ms=_DAY_MS,
    written_by="gateway",
)
FORECASTS = Topic(
    "forecasts",
    events.Forecast,
    "request id",
    "Their answers; of daily bars the next one may be a long weekend away.",
    by_ticker=False,
    retention_ms=7 * _DAY_MS,
    written_by="predictor",
)
SERVICE_STATUS = Topic(
    "service-status",
    events.ServiceStatus,
    "service/instance",
    "Each service's status report.",
    by_ticker=False,
    cleanup=Cleanup.COMPACT,
    written_by="every service",
)
DEAD_LETTERS = Topic(
    "dead-letters",
    None,
    "the original key",
    "What could not be understood: the original bytes; headers say where from and why.",
    by_ticker=False,
    retention_ms=30 * _DAY_MS,
    written_by="every service",
)

TOPICS: tuple[Topic, ...] = (
    TICKS,
    BARS,
    FEATURES,
    PREDICTIONS,
    PREDICTIONS_LATEST,
    OUTCOMES,
    SCORES,
    MODELS,
    MODEL_COMMANDS,
    SOURCE_COMMANDS,
    FORECAST_REQUESTS,
    FORECASTS,
    SERVICE_STATUS,
    DEAD_LETTERS,
)

#: Faust's application id, the consumer group of the feature stage and the start of its changelogs' names.
FEATURE_STAGE = "feature-stream"
TICKER_STATES_TABLE = "ticker-states"

TICKER_STATES_CHANGELOG = Topic(
    f"{FEATURE_STAGE}-{TICKER_STATES_TABLE}-changelog",
    None,
    "ticker, or `@partition`",
    "The feature stage's state; its own business.",
    cleanup=Cleanup.COMPACT,
    written_by="feature_stream",
)

#: Likewise of the service that settles predictions.
OUTCOMES_STAGE = "outcomes"
OPEN_PREDICTIONS_TABLE = "open-predictions"

OPEN_PREDICTIONS_CHANGELOG = Topic(
    f"{OUTCOMES_STAGE}-{OPEN_PREDICTIONS_TABLE}-changelog",
    None,
    "ticker, or `@partition`",
    "The predictions that are not settled yet; the outcomes' own business.",
    cleanup=Cleanup.COMPACT,
    written_by="feature_stream",
)

#: Everything that is created before anything starts.
ALL_TOPICS: tuple[Topic, ...] = (*TOPICS, OPEN_PREDICTIONS_CHANGELOG, TICKER_STATES_CHANGELOG)


def partition_count(topic: Topic, partitions: int) -> int:
    """Give the number of partitions of a topic, where `ticks` has `partitions`."""
    return partitions if topic.by_ticker else 1


@dataclass(frozen=True)
class FoundTopic:
    """A topic as a broker describes it; `cleanup` is None where the broker cannot tell."""

    partitions: int
    cleanup: str | None


def topic_problems(
    topics: tuple[Topic, ...], found: Mapping[str, FoundTopic], *, prefix: str, partitions: int, embedded: bool
) -> list[str]:
    """Say, a line each, what is wrong with the topics that a broker has.

    Args:
        found: By full name.
        embedded: Only missing topics count: the embedded broker has no settings and 4 partitions for all.
    """
    problems = []
    for topic in topics:
        name = prefix + topic.name
        there = found.get(name)
        wanted = partition_count(topic, partitions)
        if there is None:
            problems.append(f"topic {name} is missing: create the topics with `tickcast topics`")
        elif embedded:
            continue
        elif there.partitions != wanted:
            problems.append(
                f"topic {name} has {there.partitions} partitions, not {wanted}: "
                "set TICKCAST_PARTITIONS to what it was made with, or start with another TICKCAST_TOPIC_PREFIX"
            )
        elif there.cleanup is not None and there.cleanup != topic.cleanup:
            problems.append(f"topic {name} has cleanup.policy {there.cleanup!r}, not {topic.cleanup.value!r}: set it")
    return problems
