"""What a broker keeps of the run before, and whether this run may continue it."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from schemas.errors import StopAndSayError
from schemas.whole_file import write_whole


class KeptRun(msgspec.Struct, frozen=True, kw_only=True):
    """What must stay the same for the log of a run to make sense; None: the source's own default."""

    topic_prefix: str
    source: str
    interval: str
    start: str | None = None
    tickers: tuple[str, ...] = ()
    loop: bool = False


#: As in `schemas.settings`.
_LONGEST_PREFIX = 64
_OPTIONS = ("source", "start", "interval", "tickers", "loop")


def run_key(broker: str, topic_prefix: str) -> str:
    """Name the place where a run is kept: the broker and the prefix that the settings ask for."""
    return f"{broker} {topic_prefix}".rstrip()


def read_kept_runs(path: Path) -> dict[str, KeptRun]:
    """Read the kept runs by key; none where there is no file.

    Raises:
        StopAndSayError: The file is damaged.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, KeptRun])
    except FileNotFoundError:
        return {}
    except msgspec.DecodeError as error:
        raise StopAndSayError(f"{path} is damaged ({error}): delete it and start with --fresh") from error


def write_kept_runs(path: Path, runs: Mapping[str, KeptRun]) -> None:
    """Replace the file as a whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, msgspec.json.format(msgspec.json.encode(dict(runs))) + b"\n")


def check_continues(kept: KeptRun, wanted: KeptRun) -> None:
    """Check that the wanted run may follow the kept one.

    Raises:
        StopAndSayError: An option differs; one line names it and --fresh.
    """
    before, now = msgspec.structs.asdict(kept), msgspec.structs.asdict(wanted)
    differing = [name for name in _OPTIONS if before[name] != now[name]]
    if differing:
        kept_options = ", ".join(f"{name} {_text(before[name])}, not {_text(now[name])}" for name in differing)
        raise StopAndSayError(
            f"the kept data was made with {kept_options}: use the same options to resume, or --fresh to start over"
        )


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ",".join(value) or "all"
    return str(value) if value is not None else "unset (the source's default)"


def fresh_prefix(base: str, now: datetime) -> str:
    """Give a topic prefix that no earlier run had.

    Raises:
        StopAndSayError: It would be longer than a prefix may be.
    """
    prefix = f"{base}r{now:%Y%m%d-%H%M%S}-"
    if (too_many := len(prefix) - _LONGEST_PREFIX) > 0:
        raise StopAndSayError(f"TICKCAST_TOPIC_PREFIX {base}: for --fresh it must be {too_many} characters shorter")
    return prefix
