"""The most important numbers of a report for a terminal."""

from predictor.training.backtest.contents import HorizonReport, Report
from predictor.training.backtest.errors import ForecasterScore

_HEAD = "bars  forecaster                 outcomes  RMSE/no change       p   right  beside usual"


def table_of(report: Report) -> str:
    """Lay out errors, directions and intervals, one line a horizon and forecaster."""
    lines = [_HEAD]
    for horizon in report.horizons:
        lines += [_line(horizon.horizon, score) for score in horizon.forecasters]
        lines.append(_intervals(horizon))
    return "\n".join(lines)


def _line(horizon: int, score: ForecasterScore) -> str:
    ratio = "-" if score.error_ratio is None else f"{score.error_ratio:.4f}"
    p_value = "-" if score.p_better is None else f"{score.p_better:.3f}"
    right = "-" if score.hit_rate is None else f"{score.hit_rate:.1%}"
    beside = "-" if score.hit_rate_difference is None else f"{score.hit_rate_difference:+.1%}"
    return f"{horizon:>4}  {score.name:<25}  {score.count:>8}  {ratio:>14}  {p_value:>6}  {right:>6}  {beside:>12}"


def _intervals(report: HorizonReport) -> str:
    parts = [
        f"{each.level:.0%}: {each.coverage:.2%} inside"
        + (f", score {each.times_static:.3f} of the static one's" if each.times_static is not None else "")
        for each in report.intervals
        if each.coverage is not None
    ]
    return f"      intervals {'; '.join(parts) or 'were not said'}"
