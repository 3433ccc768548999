"""Settings that services share. Each service adds its own; all come from `TICKCAST_*` and `.env`."""

import socket
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import NoDecode, SettingsConfigDict, SettingsError

from schemas.errors import StopAndSayError
from schemas.kafka_settings import KafkaSettings
from schemas.times import Interval

ENV_PREFIX = "TICKCAST_"


def split_list(value: Any) -> Any:
    """Read `1,5,21` as a list."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _ascending(horizons: tuple[int, ...]) -> tuple[int, ...]:
    if not horizons or list(horizons) != sorted(set(horizons)) or horizons[0] < 1:
        raise ValueError("give horizons in bars, ascending, each once, like 1,5,21")
    return horizons


class Settings(KafkaSettings):
    """What every service must agree on."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX,
        env_file=".env",
        env_ignore_empty=True,  # in .env.example, empty means the default
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    kafka_embedded: bool = Field(False, description="The broker is the embedded one: only missing topics are errors")
    kafka_answer_seconds: float = Field(10.0, gt=0, le=600, description="How long a start waits for a broker's answer")
    topic_prefix: str = Field("", pattern=r"^[A-Za-z0-9._-]{0,64}$")
    partitions: int = Field(4, ge=1, le=1_000, description="Of `ticks` and every topic keyed by ticker")
    replication_factor: int = Field(1, ge=1)
    topic_retention_bytes: int = Field(4_294_967_296, ge=1_048_576, description="A partition of a bounded topic")
    interval: Interval = "1d"
    horizons: Annotated[tuple[int, ...], NoDecode, BeforeValidator(split_list), AfterValidator(_ascending)] = (1, 5, 21)
    instance: str = Field(default_factory=socket.gethostname, pattern=r"^[A-Za-z0-9._-]{1,64}$")
    metrics_host: str = "127.0.0.1"
    metrics_port: int = Field(0, ge=0, le=65_535, description="0: a free one")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"
    log_summary_seconds: float = Field(
        60.0, ge=0, le=86_400, description="So often a JSON log says what was served or predicted since; 0: never"
    )
    traces: Literal["off", "logs", "otlp"] = Field(
        "off", description="Follow ticks to the clients: in the log, or there and by OTLP (OTEL_EXPORTER_OTLP_*)"
    )
    traces_ratio: float = Field(
        0.01, ge=0, le=1, description="Of the ingestor: share of its frames that are followed, by all"
    )


AnySettings = TypeVar("AnySettings", bound=Settings)


def _problem_line(problem: ErrorDetails) -> str:
    """Name the variable and say what is wrong; never the value, which may be a secret."""
    place, words = problem["loc"], problem["msg"].removeprefix("Value error, ")
    return f"{ENV_PREFIX}{str(place[0]).upper()}: {words}" if place else words


def load_settings(settings_type: type[AnySettings], **overrides: Any) -> AnySettings:
    """Read settings; what is silent keeps its default.

    Raises:
        StopAndSayError: A value is wrong; one line names the variable and what it should be.
    """
    try:
        return settings_type(**overrides)
    except ValidationError as error:
        raise StopAndSayError("wrong settings: " + "; ".join(map(_problem_line, error.errors()))) from error
    except SettingsError as error:
        raise StopAndSayError(f"wrong settings: {error}") from error
