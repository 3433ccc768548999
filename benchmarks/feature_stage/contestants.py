"""Who takes part. Each is a process that is led by `TICKCAST_*` variables and counts its ticks on its metrics port."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

#: The peers' own environment; `make .venv-bench/.installed` makes it.
PEERS_PYTHON = Path(__file__).parents[2] / ".venv-bench" / "bin" / "python"
_WORKERS = "benchmarks.feature_stage.workers"


@dataclass(frozen=True)
class Contestant:
    """One way to do the work.

    Attributes:
        input: What it reads: many ticks a record, or one. `benchmarks.feature_stage.inputs.records` makes either.
        command: Starts it; the repository is the working directory.
        peer: Another framework. As documented (`input` is "ticks") it reads flat ticks, keyed by ticker, and not our
            frames: a different input.
    """

    name: str
    input: Literal["frames", "ticks"]
    command: tuple[str, ...]
    peer: bool

    @property
    def flat(self) -> bool:
        """Tell whether a record is a flat tick, keyed by its ticker, and not a `TickFrame`."""
        return self.peer and self.input == "ticks"


def _ours(name: str, kind: Literal["frames", "ticks"], module: str) -> Contestant:
    return Contestant(name, kind, (sys.executable, "-m", module), peer=False)


def _peer(name: str, kind: Literal["frames", "ticks"], module: str) -> Contestant:
    return Contestant(name, kind, (str(PEERS_PYTHON), "-m", f"{_WORKERS}.{module}"), peer=True)


TICKCAST = _ours("Tickcast", "frames", "feature_stream")
BARE = _ours("bare loop", "frames", f"{_WORKERS}.bare")
QUIX = _peer("Quix Streams, our frames", "frames", "quix_frames")
BYTEWAX = _peer("Bytewax, our frames", "frames", "bytewax_frames")
TICKCAST_TICKS = _ours("Tickcast, one tick a record", "ticks", "feature_stream")
BARE_TICKS = _ours("bare loop, one tick a record", "ticks", f"{_WORKERS}.bare")
QUIX_TICKS = _peer("Quix Streams, as documented", "ticks", "quix_ticks")
BYTEWAX_TICKS = _peer("Bytewax, as documented", "ticks", "bytewax_ticks")

CONTESTANTS: tuple[Contestant, ...] = (
    TICKCAST,
    BARE,
    QUIX,
    BYTEWAX,
    TICKCAST_TICKS,
    BARE_TICKS,
    QUIX_TICKS,
    BYTEWAX_TICKS,
)
