"""What all live sources can be told."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from schemas.settings import Settings
from schemas.source_settings import LIVE_SOURCES


class LiveSettings(Settings):
    """How long to wait, and how much to fetch."""

    source_exchange: str = Field(
        "",
        pattern=r"^[A-Za-z0-9/_-]{0,16}$",
        description="Whose hours ticks keep, as exchange_calendars calls it; empty: the provider's",
    )
    source_lateness_seconds: float = Field(
        2.0, ge=0, le=3_600, description="Watermarks are so far behind the clock: what comes later than that is late"
    )
    source_mute_seconds: float = Field(
        120.0, gt=0, description="No tick for so long while the exchange is open: the connection is opened again"
    )
    source_reconnect_seconds: float = Field(5.0, ge=0, description="Least time between two connections")
    source_return_seconds: float = Field(
        60.0, ge=0, description="Of several, a preferred one comes back after it has been heard for so long"
    )
    source_fall_back: Literal["", "simulated"] = Field(
        "", description="simulated: while all live markets are away, prices are made up, and marked so"
    )
    source_fall_back_seconds: float = Field(
        60.0, ge=0, description="After they have been away for so long while the exchange is open"
    )
    source_answer_seconds: float = Field(30.0, gt=0, le=600, description="How long a request or a connection may take")
    source_warm_up_bars: int = Field(
        250, ge=0, le=10_000, description="Bars before the first start that are fetched and played first"
    )
    source_longest_fill_days: float = Field(
        7.0, gt=0, description="Of a longer gap, only so much before now is filled from history"
    )
    source_compare: str = Field(
        "",
        pattern=rf"^({'|'.join(LIVE_SOURCES)})?$",
        description="A live market that is heard beside the source, and only compared with it; empty: none",
    )
    source_compare_bound: float = Field(
        0.005, gt=0, lt=1, description="Relative difference of two prices, for 30 s, from which it is an alert"
    )
    source_history_bars: int = Field(
        5_000, ge=1, description="Bars of each ticker before now that training asks for, where it names no start"
    )
    source_budget_directory: Path = Field(
        Path("var/budgets"), description="Requests sent, for all processes of this machine and across restarts"
    )
