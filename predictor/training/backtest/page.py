"""The report for people: one HTML file that asks nothing of the internet."""

from collections.abc import Mapping
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from predictor.training.backtest.contents import Report
from predictor.training.backtest.figures import Figure
from predictor.training.backtest.plots import pictures_of

_TEMPLATE = "report.html"
_UNKNOWN = "\u2013"


def page_of(report: Report) -> str:
    """Lay a report out, with its pictures."""
    return lay_out(report, pictures_of(report))


def lay_out(report: Report, pictures: Mapping[str, str]) -> str:
    """Lay a report out.

    Args:
        report: All its words are escaped.
        pictures: SVG by name, taken as it is.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(share=_share, number=_number, figure=_figure, day=_day)
    text = files("predictor.training.backtest").joinpath(_TEMPLATE).read_text(encoding="utf-8")
    # The pictures are our own, and matplotlib has escaped the words in them.
    safe = {name: Markup(picture) for name, picture in pictures.items()}  # noqa: S704
    return environment.from_string(text).render(report=report, pictures=safe)


def _share(value: float | None, decimals: int = 1) -> str:
    return _UNKNOWN if value is None else f"{100.0 * value:.{decimals}f} %"


def _number(value: float | None, decimals: int = 4) -> str:
    return _UNKNOWN if value is None else f"{value:.{decimals}f}"


def _figure(figure: Figure, kind: str = "number") -> str:
    write = _share if kind == "share" else _two_decimals
    if figure.low is None or figure.high is None:
        return write(figure.value)
    return f"{write(figure.value)} ({write(figure.low)} to {write(figure.high)})"


def _two_decimals(value: float | None) -> str:
    return _number(value, 2)


def _day(text: str) -> str:
    """Shorten a time at midnight to its date."""
    return text.removesuffix("T00:00:00Z")
