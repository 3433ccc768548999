"""Settings of the feature stream."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from schemas.settings import Settings
from schemas.times import NS_PER_MILLISECOND, interval_ns

#: All open bars stand in a ticker's state, which must stay far below the size of a Kafka message.
_MOST_OPEN_BARS = 100


class WorkerSettings(Settings):
    """What each worker of a Faust app adds to the shared settings."""

    state_store: Literal["memory", "rocksdb"] = Field("memory", description="rocksdb needs the extra of that name")
    data_directory: Path = Field(Path("var/feature_stream"), description="For the RocksDB files")
    checkpoint_interval_ms: int = Field(1_000, ge=50)
    session_timeout_seconds: float = Field(10.0, ge=6.0, description="Kafka's group session")
    fetch_wait_ms: int = Field(50, ge=1, description="How long the broker may hold an empty fetch")
    standby_replicas: int = Field(
        1, ge=0, le=10, description="Other workers that keep a copy of a partition's state, to take over sooner"
    )
    mute_unhealthy_seconds: float = Field(
        5.0, ge=1.0, description="Nothing is absorbed, or read of the state, though something waits: /health says 503"
    )
    mute_end_seconds: float = Field(30.0, ge=1.0, description="And for so long: the process ends, to be started again")
    join_unhealthy_seconds: float = Field(45.0, ge=1.0, description="No place in the group for so long: 503")
    join_end_seconds: float = Field(90.0, ge=1.0, description="And for so long: the process ends")

    @model_validator(mode="after")
    def _say_before_the_end(self) -> Self:
        for what in ("mute", "join"):
            if getattr(self, f"{what}_end_seconds") < getattr(self, f"{what}_unhealthy_seconds"):
                names = f"TICKCAST_{what.upper()}_END_SECONDS: give at least TICKCAST_{what.upper()}_UNHEALTHY_SECONDS"
                raise ValueError(names)
        return self


class FeatureStreamSettings(WorkerSettings):
    """What the feature stage adds."""

    metrics_port: int = Field(9102, ge=0, le=65_535)
    update_interval_ms: int = Field(
        250, ge=0, description="Least time between two provisional features of a ticker; 0: one per ticker and frame"
    )
    lateness_ms: int = Field(0, ge=0, description="How long a bar waits for late ticks of its ticker")
    early_ms: int | None = Field(None, ge=0, description="How far a tick may run ahead of its source's newest one")
    bad_inputs_bound: int = Field(
        1_000, ge=0, description="More bad inputs of a partition (late ticks apart) end the stage; 0: none do"
    )
    bad_inputs_seconds: float = Field(60.0, gt=0, description="If they come within so long, by Kafka's timestamps")

    @model_validator(mode="after")
    def _bound_open_bars(self) -> "FeatureStreamSettings":
        longest_ms = _MOST_OPEN_BARS * interval_ns(self.interval) // NS_PER_MILLISECOND
        if self.lateness_ms > longest_ms:
            raise ValueError(f"TICKCAST_LATENESS_MS: at most {longest_ms} ({_MOST_OPEN_BARS} bars of {self.interval})")
        return self
