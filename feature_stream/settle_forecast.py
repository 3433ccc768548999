"""What became of a forecast from a caller's own prices: a ledger and a forecast in, an outcome out. No clock, no I/O.

It began from the newest bar that had ended at `Forecast.as_of_ns`, which is known once a later bar is in the ledger,
and is settled with that next bar. As its last close must be that bar's, it speaks of the same series as the log. What
comes out is a function of the log of bars and of the forecast, whenever it is asked for.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from feature_stream.ledger import Close, OpenPrediction, SettleRules, TickerLedger
from feature_stream.settle import PassedOver, open_horizon
from feature_stream.verdict import outcome_of
from schemas.events import Forecast, Outcome, PriceRange
from schemas.identity import forecast_outcome_id
from schemas.symbols import is_ticker

#: One member answers, with normal intervals by its own spread: no scoreboard gave a weight or a width.
_WEIGHTS, _INTERVALS = "prior", "normal"


def ticker_of(forecast: Forecast) -> str | None:
    """Give the ticker whose bars will settle a forecast; None where it is an error, or names none, or no time."""
    if forecast.error is not None or forecast.ticker is None or not is_ticker(forecast.ticker):
        return None
    placed = forecast.as_of_ns is not None and forecast.from_price is not None
    return forecast.ticker if placed else None


def settle_forecast(
    ledger: TickerLedger, forecast: Forecast, rules: SettleRules, now_ns: int
) -> Outcome | PassedOver | None:
    """Settle a forecast, if it is due.

    Args:
        ledger: Of its ticker; not changed.
        forecast: One that has a ticker (`ticker_of`).
        rules: As for `feature_stream.settle`.
        now_ns: Wall clock, for `settled_at_ns` and nothing else.

    Returns:
        The outcome; why there will be none; or None where the next bar is not there yet.
    """
    if forecast.as_of_ns is None or forecast.interval != rules.interval:
        return PassedOver.INTERVAL
    if [each.horizon for each in forecast.horizons] != [1]:
        return PassedOver.HORIZON
    after = bisect_right(ledger.closes, forecast.as_of_ns, key=lambda close: close.end_ns)
    if after == len(ledger.closes):
        return None
    way = ledger.closes[max(0, after - 1) : after + 1]
    return _why_not(way, forecast) or _outcome(ledger, forecast, way, rules, now_ns)


def _why_not(way: Sequence[Close], forecast: Forecast) -> PassedOver | None:
    """Say why closes are not those that a forecast speaks of; None where they are."""
    if len(way) == 1:
        return PassedOver.LATE
    if way[1].bar_index != way[0].bar_index + 1:
        return PassedOver.NO_BAR
    return None if way[0].price == forecast.from_price else PassedOver.OTHER_BAR


def content_digest(forecast: Forecast) -> str:
    """Give a digest of all of a forecast that its outcome depends on; when it was answered is no part of it."""
    horizons = [
        (
            *(each.horizon, each.log_return, each.direction, each.confidence, each.volatility, each.usual_direction),
            *(_bounds(each.interval_95), _bounds(each.interval_99)),
        )
        for each in forecast.horizons
    ]
    members = [
        (model.name, own.horizon, own.log_return, own.spread, own.confidence, own.weight, own.prior_weight)
        for model in forecast.models
        for own in model.horizons
    ]
    asked = (forecast.id, forecast.request_id, forecast.ticker)
    place = (*asked, forecast.as_of_ns, forecast.model_set, forecast.in_sample)
    return hashlib.blake2b(msgspec.json.encode((place, horizons, members)), digest_size=8).hexdigest()


def _outcome(
    ledger: TickerLedger, forecast: Forecast, way: Sequence[Close], rules: SettleRules, now_ns: int
) -> Outcome:
    start = way[0]
    [said] = forecast.horizons
    opened = OpenPrediction(
        id=forecast.id,
        bar_index=start.bar_index,
        as_of_ns=start.end_ns,
        price=start.price,
        model_set=forecast.model_set,
        weights_version=_WEIGHTS,
        intervals_version=_INTERVALS,
        in_sample=forecast.in_sample,
        partial=start.partial,
        origin_rank=start.origin_rank,
        horizons=[],
    )
    outcome = outcome_of(ledger, opened, open_horizon(said, forecast.models), way, rules, now_ns)
    name = forecast_outcome_id(ledger.ticker, rules.interval, outcome.start_ns, said.horizon, content_digest(forecast))
    return msgspec.structs.replace(outcome, id=name, request_id=forecast.request_id)


def _bounds(said: PriceRange | None) -> tuple[float, float] | None:
    return None if said is None else (said.low, said.high)
