"""The pictures of a report."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from numpy.typing import NDArray

from predictor.training.backtest.contents import HorizonReport, Report
from predictor.training.backtest.drawing import COLOURS, GREY, svg_of
from predictor.training.backtest.errors import BASELINE
from predictor.training.backtest.stretches import Stretch
from schemas.times import from_rfc3339

_PORTFOLIO_NAMES = {"forecasts": "forecasts", "buy_and_hold": "buy and hold", "no_change": "no position"}
_LEAST_EQUITY = 1e-9

#: Gives a number of a stretch.
_OfStretch = Callable[[Stretch], float | None]


def pictures_of(report: Report) -> dict[str, str]:
    """Give the pictures by name, as SVG."""
    horizons = report.horizons
    titles = [f"{each.horizon} bar{'' if each.horizon == 1 else 's'} ahead" for each in horizons]

    def of_each(name: str, draw: Callable[[Axes, HorizonReport], None]) -> str:
        return svg_of(name, titles, lambda axes, number: draw(axes, horizons[number]))

    return {
        "equity": of_each("equity", _equity),
        "reliability": of_each("reliability", _reliability),
        "coverage": of_each("coverage", _coverage),
        "error_by_horizon": svg_of(
            "error_by_horizon", ["Error beside no change"], lambda axes, _: _by_horizon(axes, horizons)
        ),
        "error_over_time": of_each("error_over_time", _error_over_time),
        "hit_rate_over_time": of_each("hit_rate_over_time", _hits_over_time),
    }


def _times(texts: Sequence[str]) -> NDArray[np.datetime64]:
    return np.array([from_rfc3339(text) for text in texts], "datetime64[ns]")


def _time_axis(axes: Axes) -> None:
    locator = AutoDateLocator(minticks=3, maxticks=7)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def _equity(axes: Axes, report: HorizonReport) -> None:
    equity = report.trading.equity
    times = _times(equity.ends)
    for (name, values), colour in zip(equity.by_portfolio.items(), (COLOURS[0], COLOURS[1], GREY), strict=True):
        axes.plot(times, np.maximum(values, _LEAST_EQUITY).tolist(), color=colour, label=_PORTFOLIO_NAMES[name], lw=1.2)
    axes.set_ylabel("equity, from 1")
    axes.legend()
    _time_axis(axes)


def _reliability(axes: Axes, report: HorizonReport) -> None:
    bins = report.confidence.bins
    axes.set_xlabel("confidence")
    axes.set_ylabel("hit rate")
    if not bins:
        axes.text(0.5, 0.5, "no direction was said", ha="center", transform=axes.transAxes)
        return
    confidences = [each.mean_confidence for each in bins]
    low, high = min(confidences), max(confidences)
    margin = max(0.01, 0.1 * (high - low))
    ends = [low - margin, high + margin]
    axes.plot(ends, ends, color=GREY, ls="--", lw=1, label="as it says")
    for each in bins:
        if each.hit_rate_low is not None and each.hit_rate_high is not None:
            axes.plot([each.mean_confidence] * 2, [each.hit_rate_low, each.hit_rate_high], color=COLOURS[0], lw=1)
    axes.plot(confidences, [each.hit_rate for each in bins], "o", color=COLOURS[0], label="hits, with 95 %")
    axes.set_xlim(*ends)
    axes.legend()


def _over_time(axes: Axes, report: HorizonReport, value: _OfStretch, colour: str, label: str) -> None:
    found = [(stretch, value(stretch)) for stretch in report.stretches]
    known = [(stretch.end, number) for stretch, number in found if number is not None]
    axes.plot(_times([end for end, _ in known]), [number for _, number in known], "o-", ms=3, color=colour, label=label)


def _coverage(axes: Axes, report: HorizonReport) -> None:
    for nominal in (0.95, 0.99):
        axes.axhline(nominal, color=GREY, ls="--", lw=1)
    _over_time(axes, report, lambda stretch: stretch.coverage_95, COLOURS[0], "at 95 %")
    _over_time(axes, report, lambda stretch: stretch.coverage_99, COLOURS[1], "at 99 %")
    axes.set_ylabel("share inside the interval")
    axes.legend()
    _time_axis(axes)


def _by_horizon(axes: Axes, horizons: Sequence[HorizonReport]) -> None:
    axes.axhline(1.0, color=GREY, ls="--", lw=1, label="no change")
    names = list(dict.fromkeys(score.name for report in horizons for score in report.forecasters))
    shown = [name for name in names if name != BASELINE]
    for number, name in enumerate(shown):
        ratios = [
            (place + 0.08 * (number - (len(shown) - 1) / 2), score.error_ratio)
            for place, report in enumerate(horizons)
            for score in report.forecasters
            if score.name == name and score.error_ratio is not None
        ]
        axes.plot(
            [place for place, _ in ratios],
            [ratio for _, ratio in ratios],
            "o",
            ms=4,
            color=COLOURS[number % len(COLOURS)],
            label=name,
        )
    axes.set_xticks(range(len(horizons)), [str(report.horizon) for report in horizons])
    axes.set_xlabel("bars ahead")
    axes.set_ylabel("RMSE, no change = 1")
    axes.legend(fontsize=7)


def _error_over_time(axes: Axes, report: HorizonReport) -> None:
    axes.axhline(1.0, color=GREY, ls="--", lw=1, label="no change")
    _over_time(axes, report, lambda stretch: stretch.error_ratio, COLOURS[0], "ensemble")
    axes.set_ylabel("RMSE, no change = 1")
    axes.legend()
    _time_axis(axes)


def _hits_over_time(axes: Axes, report: HorizonReport) -> None:
    axes.axhline(0.5, color=GREY, ls="--", lw=1)
    _over_time(axes, report, lambda stretch: stretch.hit_rate, COLOURS[0], "ensemble")
    _over_time(axes, report, lambda stretch: stretch.usual_hit_rate, COLOURS[1], "usual direction")
    axes.set_ylabel("direction right")
    axes.legend()
    _time_axis(axes)
