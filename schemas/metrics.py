"""Names, units and buckets of all metrics, and how they are made."""

from bisect import bisect_left
from collections import Counter as Counts
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge
from prometheus_client import Histogram as PrometheusHistogram
from prometheus_client.core import GaugeMetricFamily

_LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_SIZE_BUCKETS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
_MANY_BUCKETS = (1, 10, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
_RECOVERY_BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)


class Histogram(PrometheusHistogram):
    """One that takes many values at a time."""

    def observe_all(self, values: Sequence[float]) -> None:
        """Observe values, as cheaply as a few."""
        for bucket, count in Counts(bisect_left(self._upper_bounds, value) for value in values).items():
            self._buckets[bucket].inc(count)
        self._sum.inc(sum(values))


@dataclass(frozen=True)
class Metric:
    """One metric; its unit is the end of its name."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = _LATENCY_BUCKETS

    def counter(self, registry: CollectorRegistry = REGISTRY) -> Counter:
        """Make it as a counter."""
        return Counter(self.name, self.help, self.labels, registry=registry)

    def gauge(self, registry: CollectorRegistry = REGISTRY) -> Gauge:
        """Make it as a gauge."""
        return Gauge(self.name, self.help, self.labels, registry=registry)

    def family(self, values: Mapping[tuple[str, ...], float | None] | None = None) -> GaugeMetricFamily:
        """Make it as a gauge whose samples are made when somebody scrapes it: by labels; None is not known."""
        family = GaugeMetricFamily(self.name, self.help, labels=self.labels)
        for labels, value in (values or {}).items():
            if value is not None:
                family.add_metric(labels, value)
        return family

    def histogram(self, registry: CollectorRegistry = REGISTRY) -> Histogram:
        """Make it as a histogram."""
        return Histogram(self.name, self.help, self.labels, buckets=self.buckets, registry=registry)


READY = Metric(
    "tickcast_ready_services",
    "gauge",
    "1 while the service does its work, or its data has ended; 0: it starts, catches up, stops or is in trouble.",
)
SOURCES_PLAYING = Metric(
    "tickcast_playing_sources",
    "gauge",
    "1 while ticks are to be expected of the source; 0: its data has ended, or its market is closed.",
    ("source",),
)
SOURCE_ALLOWED_SILENCE = Metric(
    "tickcast_source_allowed_silence_seconds",
    "gauge",
    "For so long a live source may well say nothing while ticks are to be expected: its provider's own pace, or "
    "TICKCAST_SOURCE_MUTE_SECONDS where that is longer.",
    ("source",),
)
TICKS_INGESTED = Metric("tickcast_ticks_ingested_total", "counter", "Ticks acknowledged by the broker.", ("source",))
FRAMES_INGESTED = Metric("tickcast_frames_ingested_total", "counter", "Frames acknowledged.", ("source",))
SOURCE_REQUESTS = Metric(
    "tickcast_source_requests_total",
    "counter",
    "Requests to a provider: `answered`, `failed`, `refused` for the key or plan, or `withheld` for the budget.",
    ("source", "result"),
)
SOURCE_REQUESTS_LEFT = Metric(
    "tickcast_source_left_requests", "gauge", "Requests that the provider's plan still allows within 24 h.", ("source",)
)
SOURCE_CONNECTIONS_LOST = Metric(
    "tickcast_source_connections_lost_total",
    "counter",
    "Streams that ended: `away`, `mute` or `refused`.",
    ("source", "reason"),
)
SOURCE_TICKS_PASSED_OVER = Metric(
    "tickcast_source_ticks_passed_over_total",
    "counter",
    "Ticks of a provider that came a second time (`again`), or are part of a bar that filled a gap (`filled`).",
    ("source", "reason"),
)
SOURCE_GAPS = Metric(
    "tickcast_source_gaps_total",
    "counter",
    "Gaps of a stream: `filled` from history, or `unfilled`.",
    ("source", "result"),
)
SOURCE_BARS_FILLED = Metric(
    "tickcast_source_bars_filled_total", "counter", "Bars of history that were played into gaps.", ("source",)
)
SOURCE_PLAYS = Metric(
    "tickcast_playing_providers",
    "gauge",
    "1 for the provider whose ticks are played, 0 for those that stand by.",
    ("source",),
)
SOURCE_HAND_OVERS = Metric(
    "tickcast_source_hand_overs_total",
    "counter",
    "A provider (`source`) took over from another one, which was `away`, `mute` or `refused`, or for its `return`.",
    ("before", "source", "reason"),
)
SOURCE_DISAGREEMENT = Metric(
    "tickcast_source_disagreement_ratios",
    "gauge",
    "The greatest relative difference of a ticker's price at a provider (`source`) from the one that is played.",
    ("source",),
)
SOURCE_DISAGREEING = Metric(
    "tickcast_source_disagreeing_tickers",
    "gauge",
    "Tickers whose price at a provider (`source`) has differed from the one that is played beyond the bound for 30 s.",
    ("source",),
)
SOURCE_SPLITS = Metric(
    "tickcast_source_splits_total",
    "counter",
    "Tickers whose prices came to another scale: `told`; or may have: `unclear` where no split explains it, `unknown` "
    "where history could not be compared.",
    ("source", "result"),
)
DEAD_LETTERS = Metric("tickcast_dead_letters_total", "counter", "Inputs that were dead-lettered.", ("reason",))
FRAMES_ABSORBED = Metric("tickcast_frames_absorbed_total", "counter", "Frames absorbed into the state.")
TICKS_ABSORBED = Metric("tickcast_ticks_absorbed_total", "counter", "Ticks absorbed into the state.")
BARS_CLOSED = Metric("tickcast_bars_closed_total", "counter", "Bars closed.")
FEATURES_EMITTED = Metric("tickcast_features_emitted_total", "counter", "Feature events sent.", ("kind",))
TICK_TO_FEATURE = Metric(
    "tickcast_tick_to_feature_seconds", "histogram", "From ingestion of the newest tick to its feature event."
)
TICK_TO_ABSORPTION = Metric(
    "tickcast_tick_to_absorption_seconds", "histogram", "From ingestion of a frame to its being in the state."
)
MICRO_BATCH_FRAMES = Metric(
    "tickcast_micro_batch_frames_size", "histogram", "Records of `ticks` taken at a stretch.", buckets=_SIZE_BUCKETS
)
MICRO_BATCH_TICKS = Metric(
    "tickcast_micro_batch_ticks_size", "histogram", "Ticks absorbed at a stretch.", buckets=_MANY_BUCKETS
)
OLDEST_UNSAID = Metric(
    "tickcast_oldest_feature_age_seconds",
    "gauge",
    "How long, at most, a ticker has had ticks that no feature event tells of; 0: none has.",
)
CHECKPOINT_SECONDS = Metric("tickcast_checkpoint_seconds", "histogram", "Time that a checkpoint took.")
CHECKPOINT_PART_SECONDS = Metric(
    "tickcast_checkpoint_part_seconds",
    "histogram",
    "Time until the broker had a checkpoint's outputs, then the tickers' states, then the partitions' records.",
    ("part",),
)
RECOVERY_SECONDS = Metric(
    "tickcast_recovery_seconds",
    "histogram",
    "From an assignment of partitions to their state being read back, and to the first record absorbed.",
    ("until",),
    buckets=_RECOVERY_BUCKETS,
)
PARTITIONS_OWNED = Metric("tickcast_partitions", "gauge", "Partitions of its sources that this worker owns.")
GAPS = Metric("tickcast_gaps_total", "counter", "Records of a source that did not follow the last one.")
REWINDS = Metric("tickcast_rewinds_total", "counter", "Times that a partition was read again, for a gap or silence.")
GAPS_HEALED = Metric("tickcast_gaps_healed_total", "counter", "Missing records that came after a rewind.")
FRAMES_PASSED_OVER = Metric(
    "tickcast_frames_passed_over_total", "counter", "Frames whose sequence was not above the last of their source."
)
RECORDS_LOST = Metric("tickcast_records_lost_total", "counter", "Records of a source that the log no longer holds.")
OUTCOMES_SETTLED = Metric(
    "tickcast_outcomes_total",
    "counter",
    "Predictions settled: `scored`, or the reason why they do not count.",
    ("reason",),
)
SETTLING_PASSED_OVER = Metric(
    "tickcast_settling_passed_over_total",
    "counter",
    "Horizons of predictions, and bars, that bring no outcome.",
    ("reason",),
)
FORECASTS_SETTLED = Metric(
    "tickcast_forecasts_settled_total",
    "counter",
    "Forecasts from callers' prices: `scored`, or why they do not count or bring no outcome.",
    ("reason",),
)
OPEN_FORECASTS = Metric("tickcast_open_forecasts", "gauge", "Forecasts from callers' prices that are not settled yet.")
BAR_TO_OUTCOME = Metric("tickcast_bar_to_outcome_seconds", "histogram", "From the close of a bar to its outcomes.")
OPEN_PREDICTIONS = Metric("tickcast_open_predictions", "gauge", "Predictions of which a horizon is not settled yet.")
HELD_RECORDS = Metric(
    "tickcast_held_records", "gauge", "Records of `bars` or `predictions` that wait for the other one.", ("topic",)
)
PREDICTIONS_MADE = Metric("tickcast_predictions_total", "counter", "Predictions acknowledged.", ("kind",))
PREDICTION_SECONDS = Metric("tickcast_prediction_batch_seconds", "histogram", "Time of one model call for a batch.")
PREDICTION_BATCH = Metric(
    "tickcast_prediction_batch_size", "histogram", "Tickers in one model call.", buckets=_SIZE_BUCKETS
)
FEATURE_TO_PREDICTION = Metric(
    "tickcast_feature_to_prediction_seconds",
    "histogram",
    "From a feature event being made to the broker having its prediction.",
)
DEGRADED = Metric("tickcast_predictions_degraded_total", "counter", "Predictions marked degraded.", ("reason",))
FORECASTS_MADE = Metric(
    "tickcast_forecasts_total",
    "counter",
    "Requests answered from a caller's own prices: `arima`, `statistical`, `error` or `dead_letter`.",
    ("kind",),
)
FORECAST_SECONDS = Metric(
    "tickcast_forecast_seconds", "histogram", "From reading a request to its answer being acknowledged."
)
MODEL_SWAPS = Metric("tickcast_model_swaps_total", "counter", "Model sets swapped in.")
MODEL_DECISIONS = Metric("tickcast_model_decisions_total", "counter", "Decisions on models announced.", ("action",))
TRAININGS = Metric("tickcast_trainings_total", "counter", "Trainings that ended.", ("end",))
TRAINING_SECONDS = Metric(
    "tickcast_training_seconds",
    "histogram",
    "From the start of a training to its end.",
    buckets=(1, 5, 15, 30, 60, 120, 300, 600, 1_800),
)
COMMANDS_WAITING = Metric("tickcast_waiting_trainings", "gauge", "Trainings that wait for the one that runs.")
LOADED_SETS = Metric(
    "tickcast_loaded_model_sets", "gauge", "1 for the set that serves, and for its challenger.", ("model_set", "role")
)
MODEL_AGE = Metric("tickcast_model_age_seconds", "gauge", "Since the set that serves has served.")
TRAINING_DATA_AGE = Metric(
    "tickcast_training_data_age_seconds",
    "gauge",
    "By the market's own time: from the last bar that training has seen to the newest outcome.",
)
MEMBER_TRAINING = Metric(
    "tickcast_member_training_seconds", "gauge", "Time that the training of a serving member took.", ("member",)
)
MEMBER_WEIGHTS = Metric(
    "tickcast_member_weight_ratios", "gauge", "Weight of a member in the ensemble.", ("horizon", "member")
)
HIT_RATES = Metric(
    "tickcast_hit_rate_ratios",
    "gauge",
    "Share of the last outcomes of all tickers whose direction was told rightly: by the `ensemble`, and by always "
    "saying the direction that was the `usual` one before.",
    ("horizon", "of"),
)
HIT_RATE_BOUNDS = Metric(
    "tickcast_hit_rate_bound_ratios",
    "gauge",
    "Ends, `low` and `high`, of the interval in which the ensemble's hit rate lies with 95 %.",
    ("horizon", "bound"),
)
ERROR_RATIOS = Metric(
    "tickcast_error_ratios", "gauge", "Mean squared error over that of the forecast of no change.", ("horizon",)
)
WORKERS = Metric(
    "tickcast_gateway_workers",
    "gauge",
    "1: the worker's figures are here; 0: it did not give any in time.",
    ("worker",),
)
WEBSOCKET_CLIENTS = Metric("tickcast_websocket_clients", "gauge", "WebSocket clients connected.")
WEBSOCKET_SENT = Metric("tickcast_websocket_messages_total", "counter", "Messages sent to clients.", ("type",))
WEBSOCKET_CONFLATED = Metric(
    "tickcast_websocket_conflated_total", "counter", "Updates that a slow client never saw: a newer one replaced them."
)
WEBSOCKET_CLOSED = Metric(
    "tickcast_websocket_closed_total",
    "counter",
    "Connections of clients that ended: by the code that the gateway gave, or `client` where it was not the gateway.",
    ("code",),
)
ROUND_SECONDS = Metric(
    "tickcast_websocket_round_seconds",
    "histogram",
    "From there being something to be written to a client to all having it that could be written to at once.",
)
HTTP_SECONDS = Metric("tickcast_http_request_seconds", "histogram", "Time of HTTP answers.", ("route", "status"))
REFUSED = Metric(
    "tickcast_refused_total",
    "counter",
    "Requests refused for who asks, from where, or how often: by the problem, or `limit-` and the limit's name.",
    ("reason",),
)
RECORDS_TAKEN = Metric("tickcast_records_taken_total", "counter", "Records that the gateway took in.", ("topic",))
RECORDED = Metric("tickcast_recorded_total", "counter", "Records whose transaction is in the database.", ("topic",))
MEMORY_ANSWERS = Metric(
    "tickcast_memory_answers_total",
    "counter",
    "Predictions answered from memory: with bytes that were `ready`, or that were `made` for the request.",
    ("bytes",),
)
FORECAST_CACHE = Metric(
    "tickcast_forecast_cache_total",
    "counter",
    "Forecasts from callers' own prices: a kept answer was there (`hit`), or a predictor was asked (`miss`).",
    ("result",),
)
ANSWER_CACHE = Metric(
    "tickcast_answer_cache_total",
    "counter",
    "Answers from the database: kept here (`hit`), found in Redis (`shared`), being asked for already (`joined`), or "
    "asked of the database (`miss`).",
    ("path", "result"),
)
REDIS_UP = Metric("tickcast_reachable_redis_servers", "gauge", "1 where the Redis that is configured answers, else 0.")
REDIS_CALLS = Metric(
    "tickcast_redis_calls_total", "counter", "Questions to Redis: `answered`, `refused` or `failed`.", ("result",)
)
DATABASE_UP = Metric(
    "tickcast_reachable_databases", "gauge", "0 where the database did not answer what it was asked last, else 1."
)
TICKERS_KNOWN = Metric("tickcast_tickers", "gauge", "Tickers that have a prediction.")
TICK_TO_GATEWAY = Metric(
    "tickcast_tick_to_gateway_seconds",
    "histogram",
    "From ingestion of a tick to its prediction being at the gateway, once that has caught up.",
)
NEWEST_AGE = Metric(
    "tickcast_newest_prediction_age_seconds",
    "gauge",
    "Since the ingestion of the newest tick that a prediction tells of.",
)
#: The only one with a ticker as label. Prometheus keeps every series that it has seen: of few tickers at a time, and of
#: none while all is well.
OLDEST_AGES = Metric(
    "tickcast_oldest_prediction_age_seconds",
    "gauge",
    "Likewise of one ticker, of the ten that wait longest among those that have waited for a minute.",
    ("ticker",),
)
COVERAGE = Metric(
    "tickcast_interval_coverage_ratios",
    "gauge",
    "Share of the last outcomes of all tickers that were inside of their interval, by its level in percent.",
    ("horizon", "level"),
)
SETTLED_DATES = Metric(
    "tickcast_settled_dates", "gauge", "Different dates among the outcomes that the coverage is of.", ("horizon",)
)
DRIFT_DATES = Metric(
    "tickcast_drift_dates",
    "gauge",
    "Dates in a row, up to the last, for which a test has said that the forecasts have become worse; 0: it does not.",
    ("test",),
)
RETRAINS_ASKED = Metric("tickcast_asked_retrains", "gauge", "1 while drift asks for a retrain, else 0.")
LAG_RECORDS = Metric("tickcast_lag_records", "gauge", "Records not read yet.", ("topic",))
LAG_SECONDS = Metric(
    "tickcast_lag_seconds", "gauge", "How old, at most, the oldest record not read yet is; 0: all are read.", ("topic",)
)

METRICS: tuple[Metric, ...] = tuple(value for value in globals().values() if isinstance(value, Metric))
