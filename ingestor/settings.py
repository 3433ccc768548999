"""What the ingestor can be told."""

from contextlib import suppress
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from schemas.dead_letters import REPLAY_SOURCE
from schemas.settings import Settings
from schemas.source_settings import REPLAY_START, SOURCE_WORDS, SourceText, Tickers, TimeText, live_names
from schemas.times import NS_PER_SECOND, from_rfc3339

SourceKind = Literal["replay", "file", "simulated", "live"]

_DAY_NS = 86_400 * NS_PER_SECOND


def _not_the_replays(name: str) -> str:
    if name == REPLAY_SOURCE:
        raise ValueError(f"{name} is the source of replayed dead letters: give another name")
    return name


class IngestorSettings(Settings):
    """What the ingestor plays, and how fast."""

    source: SourceText = Field("replay", description=SOURCE_WORDS)
    source_name: Annotated[str, AfterValidator(_not_the_replays)] = Field(
        "",
        pattern=r"^[A-Za-z0-9._-]{0,64}$",
        description="Unique among the ingestors of a deployment; default the kind: replay, file, simulated or live",
    )
    tickers: Tickers = Field((), description="Comma list; empty: all of the source's")
    start: TimeText = Field("", description="The first live moment: 2010-01-04 for replay, else the source's first")
    end: TimeText = Field("", description="A date: the last day; a time: nothing from it on; empty: all")
    speed: float = Field(
        1.0,
        ge=0,
        allow_inf_nan=False,
        description="Bars per second of replay and a file of bars, event seconds per second of a file of ticks; "
        "0: as fast as the broker takes them",
    )
    loop: bool = Field(
        False,
        description="replay: begin again when the data ends; time goes on, and each pass starts at the prices where "
        "the last one ended, so a short stretch drifts to extremes",
    )
    linger_ms: float = Field(5.0, ge=0, le=1_000, description="How long a frame waits for more ticks")
    frame_ticks: int = Field(512, ge=1, le=4_096, description="Ticks in a frame, at most")
    file_disorder_seconds: float = Field(
        1.0, ge=0, description="How far the rows of a file of ticks may go back in time"
    )
    ticker_count: int = Field(10, ge=1, le=1_000_000, description="simulated: number of tickers")
    rate_per_second: float = Field(
        10.0, gt=0, allow_inf_nan=False, description="simulated: ticks a second, over all tickers"
    )
    seed: int = Field(0, ge=0, description="simulated: of the random walk")
    maximum_jump: float = Field(
        0.5, ge=0, description="Live sources: a larger relative change waits for the next tick to confirm it; 0: none"
    )
    maximum_future_seconds: float = Field(
        60.0, ge=0, description="Live sources: how far ahead of the clock a tick may be"
    )
    metrics_port: int = Field(9_101, ge=0, le=65_535, description="0: a free one")

    @property
    def source_kind(self) -> SourceKind:
        """Give the kind of source."""
        if live_names(self.source):
            return "live"
        return "file" if self.source_path else "simulated" if self.source == "simulated" else "replay"

    @property
    def source_path(self) -> str:
        """Give the file's path; empty for other sources."""
        return self.source.partition(":")[2]

    @property
    def name(self) -> str:
        """Give the name that stands on every frame; live markets share one, so that others may follow on them."""
        return self.source_name or ("live" if live_names(self.source) else self.source.partition(":")[0])

    @property
    def start_ns(self) -> int | None:
        """Give the first live moment; None: the source's first."""
        text = self.start or (REPLAY_START if self.source_kind == "replay" else "")
        return from_rfc3339(text) if text else None

    @property
    def end_ns(self) -> int | None:
        """Give the moment from which nothing is played any more; None: there is none."""
        if not self.end:
            return None
        with suppress(ValueError):  # it has a time part
            date.fromisoformat(self.end)
            return from_rfc3339(self.end) + _DAY_NS
        return from_rfc3339(self.end)
