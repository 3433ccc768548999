"""Are the features of a bar the same whether or not later bars exist?"""

from collections.abc import Callable, Iterable
from dataclasses import fields

import msgspec

from feature_stream.offline import FeatureRow
from ingestor.sources.bars import BarColumns
from predictor.training.audit.findings import Finding, first_problem
from predictor.training.audit.world import World
from predictor.training.row_events import rows_of
from schemas.times import Interval, to_rfc3339

NAME = "features"
#: Gives a row for each bar of one ticker.
FeaturesOf = Callable[[Interval, BarColumns], Iterable[FeatureRow]]

_encode = msgspec.msgpack.Encoder().encode


def check_features(world: World, cuts: int, features_of: FeaturesOf = rows_of) -> Finding:
    """Compare the features of every bar up to each cut, computed with and without what comes after."""
    whole = {ticker: list(features_of(world.interval, columns)) for ticker, columns in world.bars.items()}
    cuts_ns, compared = world.cuts_ns(cuts), 0

    def problems() -> Iterable[str | None]:
        nonlocal compared
        for cut_ns in cuts_ns:
            for ticker, columns in world.until(cut_ns).items():
                rows = list(features_of(world.interval, columns))
                compared += len(rows)
                yield _difference(ticker, whole[ticker], rows, len(columns))

    problem = first_problem(problems())
    where = ", ".join(to_rfc3339(cut_ns)[:10] for cut_ns in cuts_ns)
    return Finding(NAME, f"{compared} rows of {len(whole)} tickers, with and without the bars after {where}", problem)


def _difference(ticker: str, whole: list[FeatureRow], cut: list[FeatureRow], bars: int) -> str | None:
    if len(cut) != bars:
        return f"{ticker}: {len(cut)} rows of features for {bars} bars"
    for known, alone in zip(whole, cut, strict=False):
        if _encode(known) != _encode(alone):
            field = next(
                each.name for each in fields(known) if _other(getattr(known, each.name), getattr(alone, each.name))
            )
            when = to_rfc3339(alone.end_ns)
            return f"{ticker}: {field} of the bar that ends at {when} is another once later bars are gone"
    return None


def _other(one: object, another: object) -> bool:
    return bool(_encode(one) != _encode(another))
