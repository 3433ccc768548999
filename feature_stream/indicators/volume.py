"""Volume beside what is usual."""

from math import log

from feature_stream.indicators.window import Window

SPAN = 20
#: Log ratios stop here: a bar without volume counts as one with a hundredth of the usual.
RATIO_FLOOR = 0.01


def mean_volume(window: Window) -> float | None:
    """Give the mean of the last 20 volumes; null before there are so many."""
    return sum(window.volumes[-SPAN:]) / SPAN if window.count >= SPAN else None


def volume_ratio(window: Window) -> float | None:
    """Give the volume over the mean of the last 20, this one included; 1 where none was traded at all."""
    mean = mean_volume(window)
    return None if mean is None else ratio(window.volumes[-1], mean)


def ratio(volume: float, mean: float) -> float:
    """Give a volume over a mean; 1 where the mean is 0."""
    return volume / mean if mean > 0.0 else 1.0


def log_ratio(volume: float, mean: float) -> float:
    """Give the logarithm of `ratio`, from `ln(RATIO_FLOOR)` up."""
    return log(max(ratio(volume, mean), RATIO_FLOOR))
