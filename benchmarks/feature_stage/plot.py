"""The results as a picture, in the peers' environment: `-m benchmarks.feature_stage.plot RESULTS PICTURE.png`."""

import sys
from pathlib import Path

import msgspec
from matplotlib.figure import Figure

from benchmarks.feature_stage.results import BY_NAME, Measured

_OURS, _BOUND, _PEER = "#1f6feb", "#9aa4b2", "#e8a33d"


def draw(measured: Measured, picture: Path) -> None:
    """Draw ticks per second of every contestant, a column for each number of tickers."""
    names = [name for name in BY_NAME if any(result.name == name for result in measured.results)]
    figure = Figure(figsize=(11, 4.2))
    axes = figure.subplots(1, len(measured.tickers), sharey=True, squeeze=False)
    for axis, tickers in zip(axes[0], measured.tickers, strict=True):
        speeds = [measured.ticks_per_second(BY_NAME[name], tickers) for name in names]
        bars = axis.barh([_label(name) for name in names], speeds, color=[_color(name) for name in names])
        axis.bar_label(bars, labels=[f"{speed:,.0f}" for speed in speeds], padding=4, fontsize=8)
        axis.set_xscale("log")
        axis.set_xlim(min(filter(None, speeds)) / 2, max(speeds) * 5)
        axis.set_title(f"{tickers:,} tickers", fontsize=10)
        axis.set_xlabel("ticks/s a worker (log)", fontsize=9)
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0][0].invert_yaxis()
    figure.suptitle(f"The feature stage beside its peers, medians of {measured.runs}", fontsize=11)
    figure.tight_layout()
    figure.savefig(picture, dpi=110, metadata={"Software": None})


def _label(name: str) -> str:
    return f"{name}\n(different input)" if BY_NAME[name].flat else name


def _color(name: str) -> str:
    if BY_NAME[name].peer:
        return _PEER
    return _BOUND if "bare" in name else _OURS


if __name__ == "__main__":
    draw(msgspec.msgpack.decode(Path(sys.argv[1]).read_bytes(), type=Measured), Path(sys.argv[2]))
