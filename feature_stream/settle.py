"""How predictions become outcomes: a ledger and a bar or a prediction in, outcomes out. No clock, no I/O.

Each final prediction is joined with the bar at `bar_index + horizon`; whichever comes second makes the outcome. Of
several predictions of one bar and horizon the first in the log counts, later ones are passed over.

What comes out is a function of the two logs, however they interleave, as long as no prediction is taken more than
`SettleRules.kept_closes` - 1 bars of its ticker after its own (`feature_stream.turns` sees to that), nor more than
`MOST_AHEAD` before it. Later ones are passed over and counted: they never get another content.
"""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from feature_stream.ledger import MOST_AHEAD, Close, OpenHorizon, OpenMember, OpenPrediction, SettleRules, TickerLedger
from feature_stream.verdict import outcome_of
from schemas.events import ORIGIN_RANK, Bar, HorizonPrediction, MemberPrediction, Outcome, Prediction, PriceRange


class PassedOver(StrEnum):
    """Why a prediction's horizon, or a bar, is passed over; labels of a metric."""

    AHEAD = "ahead"  # too many of its ticker wait for bars that do not come
    BAR_REPEATED = "bar_repeated"  # the bar came before
    DUPLICATE = "duplicate"  # an earlier prediction spoke of this bar and horizon
    HORIZON = "horizon"  # longer than any that is settled here
    INTERVAL = "interval"  # of another interval than ours
    LATE = "late"  # the closes that it needs are no longer kept
    NO_BAR = "no_bar"  # a bar on its way is not in the log
    OTHER_BAR = "other_bar"  # it began from another close than the log has
    PROVISIONAL = "provisional"  # not made from a closed bar


@dataclass
class Settled:
    """What one step brought.

    Attributes:
        passed_over: By reason; of predictions each horizon counts.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    passed_over: Counter[PassedOver] = field(default_factory=Counter)


def take_bar(ledger: TickerLedger, bar: Bar, offset: int, rules: SettleRules, now_ns: int) -> Settled:
    """Take a bar into its ticker's ledger.

    Args:
        ledger: Changed in place; nothing happens if it has absorbed the offset.
        bar: The next one of its ticker in the log.
        offset: Of its record in `bars`.
        rules: The same ones for all of a log.
        now_ns: Wall clock, for `settled_at_ns` and nothing else.
    """
    settled = Settled()
    if offset <= ledger.bars_offset:
        return settled
    ledger.bars_offset = offset
    if bar.interval != rules.interval:
        settled.passed_over[PassedOver.INTERVAL] += 1
    elif ledger.closes and (bar.bar_index <= ledger.newest_index or bar.end_ns <= ledger.closes[-1].end_ns):
        settled.passed_over[PassedOver.BAR_REPEATED] += 1
    else:
        _add_close(ledger, bar, rules, settled)
        _settle_due(ledger, ledger.open, rules, now_ns, settled)
    return settled


def take_prediction(
    ledger: TickerLedger, prediction: Prediction, offset: int, rules: SettleRules, now_ns: int
) -> Settled:
    """Take a prediction into its ticker's ledger; arguments as in `take_bar`."""
    settled = Settled()
    if offset <= ledger.predictions_offset:
        return settled
    ledger.predictions_offset = offset
    reason = _why_not(ledger, prediction, rules)
    if reason is not None:
        settled.passed_over[reason] += len(prediction.horizons)
        return settled
    horizons = _first_said(ledger, prediction, rules, settled)
    if horizons:
        made = _opened(prediction, horizons)
        ledger.open.append(made)
        _settle_due(ledger, [made], rules, now_ns, settled)
        _bound_ahead(ledger, settled)
    return settled


def _add_close(ledger: TickerLedger, bar: Bar, rules: SettleRules, settled: Settled) -> None:
    """Add a close; predictions that waited for it either begin from it, or from another bar of this index."""
    rank = ORIGIN_RANK[bar.origin]
    close = Close(bar.bar_index, bar.end_ns, bar.close, bar.partial, rank, bar.source_offset, rescaled=bar.rescaled)
    ledger.closes.append(close)
    del ledger.closes[: -rules.kept_closes]
    for prediction in [each for each in ledger.open if each.bar_index == bar.bar_index]:
        if prediction.as_of_ns == bar.end_ns:
            close.said.extend(each.horizon for each in prediction.horizons)
        else:
            settled.passed_over[PassedOver.OTHER_BAR] += len(prediction.horizons)
            ledger.open.remove(prediction)


def _why_not(ledger: TickerLedger, prediction: Prediction, rules: SettleRules) -> PassedOver | None:
    """Say why no horizon of a prediction can be settled; None where one may be."""
    if prediction.interval != rules.interval:
        return PassedOver.INTERVAL
    if prediction.provisional:
        return PassedOver.PROVISIONAL
    if prediction.bar_index > ledger.newest_index:
        return None
    if ledger.closes and prediction.bar_index < ledger.closes[0].bar_index:
        return PassedOver.LATE
    close = _close_at(ledger, prediction.bar_index)
    if close is None:
        return PassedOver.NO_BAR
    return None if close.end_ns == prediction.as_of_ns else PassedOver.OTHER_BAR


def _close_at(ledger: TickerLedger, bar_index: int) -> Close | None:
    at = bisect_left(ledger.closes, bar_index, key=lambda close: close.bar_index)
    close = ledger.closes[at] if at < len(ledger.closes) else None
    return close if close is not None and close.bar_index == bar_index else None


def _first_said(
    ledger: TickerLedger, prediction: Prediction, rules: SettleRules, settled: Settled
) -> list[HorizonPrediction]:
    """Give the horizons of which nothing was said before, and note that now something was."""
    said = _said_from(ledger, prediction)
    first = []
    for each in prediction.horizons:
        if not 1 <= each.horizon <= rules.longest_horizon:
            settled.passed_over[PassedOver.HORIZON] += 1
        elif each.horizon in said:
            settled.passed_over[PassedOver.DUPLICATE] += 1
        else:
            said.append(each.horizon)
            first.append(each)
    return first


def _said_from(ledger: TickerLedger, prediction: Prediction) -> list[int]:
    """Give the horizons spoken of from a prediction's bar: the bar's own list, or before it came what is open."""
    close = _close_at(ledger, prediction.bar_index)
    if close is not None:
        return close.said
    place = (prediction.bar_index, prediction.as_of_ns)
    waiting = (each for each in ledger.open if (each.bar_index, each.as_of_ns) == place)
    return [horizon.horizon for each in waiting for horizon in each.horizons]


def _opened(prediction: Prediction, horizons: Iterable[HorizonPrediction]) -> OpenPrediction:
    return OpenPrediction(
        id=prediction.id,
        bar_index=prediction.bar_index,
        as_of_ns=prediction.as_of_ns,
        price=prediction.current_price,
        model_set=prediction.model_set,
        weights_version=prediction.weights_version,
        intervals_version=prediction.intervals_version,
        in_sample=prediction.in_sample,
        partial=prediction.partial,
        origin_rank=ORIGIN_RANK[prediction.origin],
        horizons=[open_horizon(each, prediction.models, prediction.shadow or ()) for each in horizons],
        shadow_model_set=prediction.shadow_model_set if prediction.shadow else None,
    )


def open_horizon(
    said: HorizonPrediction, models: Iterable[MemberPrediction], shadow: Iterable[MemberPrediction] = ()
) -> OpenHorizon:
    """Give what is kept of one horizon: what was said of it, by whom, and what the set beside said."""
    return OpenHorizon(
        horizon=said.horizon,
        log_return=said.log_return,
        direction=said.direction,
        confidence=said.confidence,
        interval_95=_bounds(said.interval_95),
        interval_99=_bounds(said.interval_99),
        volatility=(said.volatility or 0.0) / math.sqrt(said.horizon),
        usual_direction=said.usual_direction,
        members=_open_members(models, said.horizon),
        shadow=_open_members(shadow, said.horizon),
    )


def _open_members(models: Iterable[MemberPrediction], horizon: int) -> list[OpenMember]:
    return [
        OpenMember(model.name, own.log_return, own.spread, own.confidence, own.weight, own.prior_weight)
        for model in models
        for own in model.horizons
        if own.horizon == horizon
    ]


def _bounds(said: PriceRange | None) -> tuple[float, float] | None:
    return None if said is None else (said.low, said.high)


def _settle_due(
    ledger: TickerLedger, predictions: Iterable[OpenPrediction], rules: SettleRules, now_ns: int, settled: Settled
) -> None:
    """Settle the horizons that are due; a prediction of which none is left is open no more."""
    newest = ledger.newest_index
    for prediction in predictions:
        due = [each for each in prediction.horizons if prediction.bar_index + each.horizon <= newest]
        for horizon in due:
            result = _settle(ledger, prediction, horizon, rules, now_ns)
            if isinstance(result, Outcome):
                settled.outcomes.append(result)
            else:
                settled.passed_over[result] += 1
        if due:
            prediction.horizons = [each for each in prediction.horizons if each not in due]
    ledger.open = [each for each in ledger.open if each.horizons]


def _settle(
    ledger: TickerLedger, prediction: OpenPrediction, horizon: OpenHorizon, rules: SettleRules, now_ns: int
) -> Outcome | PassedOver:
    first = bisect_left(ledger.closes, prediction.bar_index, key=lambda close: close.bar_index)
    way = ledger.closes[first : first + horizon.horizon + 1]
    indices = [close.bar_index for close in way]
    if indices != list(range(prediction.bar_index, prediction.bar_index + horizon.horizon + 1)):
        return PassedOver.NO_BAR
    if way[0].price != prediction.price:
        return PassedOver.OTHER_BAR
    return outcome_of(ledger, prediction, horizon, way, rules, now_ns)


def _bound_ahead(ledger: TickerLedger, settled: Settled) -> None:
    """Forget the prediction that is furthest ahead of the bars, where too many are."""
    ahead = [each for each in ledger.open if each.bar_index > ledger.newest_index]
    if len(ahead) > MOST_AHEAD:
        furthest = max(ahead, key=lambda each: each.bar_index)
        ledger.open.remove(furthest)
        settled.passed_over[PassedOver.AHEAD] += len(furthest.horizons)
