"""Choose the topic prefix of a run: the kept one, or a new one."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from deploy.kept_run import KeptRun, check_continues, fresh_prefix, read_kept_runs, run_key, write_kept_runs

KEPT_RUNS = "run.json"


@dataclass(frozen=True)
class KeptPlace:
    """The run that is kept from now on, and the one that it replaces, if any."""

    run: KeptRun
    key: str
    continues: bool
    replaced: KeptRun | None


def settle(var: Path, broker: str, wanted: KeptRun, *, fresh: bool) -> KeptPlace:
    """Decide where a run on a broker that keeps its data lives.

    Args:
        broker: `local`, or the address of a cluster.
        wanted: With the prefix that the settings ask for.

    Raises:
        StopAndSayError: What is kept was made with other options, and `fresh` was not asked for.
    """
    key = run_key(broker, wanted.topic_prefix)
    kept = read_kept_runs(var / KEPT_RUNS).get(key)
    if fresh:
        prefix = fresh_prefix(wanted.topic_prefix, datetime.now(UTC))
        return KeptPlace(replace(wanted, topic_prefix=prefix), key, continues=False, replaced=kept)
    if kept is None:
        return KeptPlace(wanted, key, continues=False, replaced=None)
    check_continues(kept, wanted)
    return KeptPlace(kept, key, continues=True, replaced=None)


def keep(var: Path, place: KeptPlace) -> None:
    """Remember the run for the next start."""
    runs = read_kept_runs(var / KEPT_RUNS)
    write_kept_runs(var / KEPT_RUNS, {**runs, place.key: place.run})


def data_directory(var: Path, broker: str, topic_prefix: str) -> Path:
    """Give the folder of the feature stage's tables for one log."""
    return var / "feature_stream" / re.sub(r"[^A-Za-z0-9.-]+", "_", f"{broker}_{topic_prefix}").strip("_")
