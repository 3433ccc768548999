"""What `tickcast run` is asked for: its options, and where they are silent, TICKCAST_* and `.env`."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr

from schemas.settings import Settings, load_settings
from schemas.source_settings import LIVE_SOURCES, REPLAY_START, SourceText, Tickers
from schemas.times import INTERVALS

_BROKER = re.compile(r"^(auto|local|embedded|[^\s,:]+:\d{1,5}(,[^\s,:]+:\d{1,5})*)$")


def absolute_source(source: str) -> str:
    """Give a source with its path made absolute.

    Raises:
        ValueError: It begins with a home folder that does not exist.
    """
    kind, _, path = source.partition(":")
    try:
        return f"{kind}:{Path(path).expanduser().absolute()}" if path else source  # no shell expands `file:~/…`
    except RuntimeError as error:
        raise ValueError(f"{path} does not begin with a home folder that exists: give the whole path") from error


Source = Annotated[SourceText, AfterValidator(absolute_source)]


class RunSettings(Settings):
    """The settings that the options of a run may name; None leaves the service's own default."""

    source: Source = "replay"
    speed: float | None = Field(None, ge=0)
    tickers: Tickers = ()
    start: str | None = None
    end: str | None = None
    loop: bool = False
    database_url: SecretStr = Field(SecretStr(""), description="Empty: the services' own default")
    gateway_host: str = "127.0.0.1"
    gateway_port: int = Field(8000, ge=0, le=65_535)
    tls_certificate_file: str = ""


@dataclass(frozen=True)
class RunOptions:
    """A run as asked for.

    Attributes:
        settings: With the options in them; `interval` only counts where `interval_given`.
        broker: `auto`, `local`, `embedded` or `HOST:PORT`.
        fresh: Under a new topic prefix, with nothing kept.
        var: The folder of this machine's data.
        postgres: Start a PostgreSQL, too, and use it.
        redis: Likewise a Redis.
    """

    settings: RunSettings
    broker: str
    fresh: bool
    var: Path
    interval_given: bool
    postgres: bool = False
    redis: bool = False


def parse_options(arguments: Sequence[str]) -> RunOptions:
    """Read the command line.

    Raises:
        StopAndSayError: A setting is wrong; the line names it.
    """
    given = vars(_parser().parse_args(arguments))
    broker, fresh, postgres, redis = (given.pop(name) for name in ("broker", "fresh", "postgres", "redis"))
    overrides: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    settings = load_settings(RunSettings, **overrides)
    interval_given = "interval" in settings.model_fields_set
    return RunOptions(settings, broker, fresh, Path("var"), interval_given, postgres, redis)


def _broker(text: str) -> str:
    if not _BROKER.match(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a broker: use auto, local, embedded or HOST:PORT")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tickcast run",
        description="Start the whole system on this machine; Ctrl-C stops it.",
        epilog="Every option but --broker, --fresh, --postgres and --redis is also a setting, like TICKCAST_SPEED; the "
        "option wins. var/prometheus-targets.json says where /metrics are, for a file_sd_configs of Prometheus.",
    )
    add = parser.add_argument
    add("--broker", type=_broker, default="auto", metavar="auto|local|embedded|HOST:PORT", help="default auto: a "
        "cluster that the settings name, else Apache Kafka on this machine, else an in-memory one")  # fmt: skip
    add("--source", metavar="|".join(("replay", "simulated", "file:PATH", *LIVE_SOURCES)), help="default replay: real "
        "daily prices; of live markets, also several, like a,b: docs/sources.md")  # fmt: skip
    add("--speed", type=float, help="replay: trading days a second (1); 0: as fast as it goes")
    add("--tickers", metavar="AAPL,MSFT", help="only these")
    add("--start", metavar="DATE", help=f"replay: the first live day ({REPLAY_START})")
    add("--end", metavar="DATE", help="replay: the last day")
    add("--interval", choices=INTERVALS, help="length of a bar (1d for replay, a file of bars' own, else 1m)")
    add("--loop", action="store_true", default=None, help="replay: begin again when the data ends; time goes on, and "
        "each pass starts at the prices where the last ended, so a short stretch drifts to extremes")  # fmt: skip
    add("--port", dest="gateway_port", type=int, metavar="PORT", help="of the page and the APIs (8000); 0: a free one")
    add("--fresh", action="store_true", help="start over with a new topic prefix and empty state")
    add("--postgres", action="store_true", help="start a PostgreSQL, too, and keep history and accounts in it")
    add("--redis", action="store_true", help="start a Redis, too, for what gateways share")
    return parser
