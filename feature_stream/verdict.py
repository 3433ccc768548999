"""What became of one prediction at one horizon."""

import math
from collections.abc import Iterable, Sequence

from feature_stream.ledger import Close, OpenHorizon, OpenMember, OpenPrediction, SettleRules, TickerLedger
from schemas.events import ORIGIN_RANK, Direction, MemberHorizon, Origin, Outcome
from schemas.identity import outcome_id

_ORIGINS = tuple(Origin)
#: Reasons that an outcome does not count, in the order in which they are given where there are several. Simulated
#: prices do count: whoever plays them wants to see scores, and `origin` says what they are of.
IN_SAMPLE, WARM_UP, REPEAT, PARTIAL = "in_sample", "warm_up", "repeat", "partial"


def outcome_of(
    ledger: TickerLedger,
    prediction: OpenPrediction,
    said: OpenHorizon,
    way: Sequence[Close],
    rules: SettleRules,
    now_ns: int,
) -> Outcome:
    """Hold what was said beside what happened; what was said before a split, on the scale after it.

    Args:
        ledger: Of the ticker.
        prediction: It.
        said: What it said of the horizon that is due.
        way: The closes from its own bar through the one that the horizon ends with, without a gap.
        rules: As for `feature_stream.settle`.
        now_ns: Wall clock, for `settled_at_ns`.
    """
    start, end = way[0], way[-1]
    start_ns = prediction.as_of_ns - rules.length_ns
    scale = math.prod(close.rescaled for close in way[1:])
    start_price = start.price * scale
    actual = math.log(end.price / start_price)
    reason = unscored_reason(prediction, way)
    return Outcome(
        id=outcome_id(ledger.ticker, rules.interval, start_ns, said.horizon),
        prediction_id=prediction.id,
        ticker=ledger.ticker,
        interval=rules.interval,
        start_ns=start_ns,
        bar_index=prediction.bar_index,
        horizon=said.horizon,
        as_of_ns=prediction.as_of_ns,
        matured_ns=end.end_ns,
        model_set=prediction.model_set,
        predicted_log_return=said.log_return,
        actual_log_return=actual,
        direction=said.direction,
        confidence=said.confidence,
        hit=_hit(said.direction, start_price, end.price),
        inside_95=_inside(said.interval_95, end.price / scale),
        inside_99=_inside(said.interval_99, end.price / scale),
        volatility=said.volatility,
        models=_by_name(said.members, said.horizon),
        weights_version=prediction.weights_version,
        intervals_version=prediction.intervals_version,
        source_partition=ledger.partition,
        source_offset=end.source_offset,
        settled_at_ns=now_ns,
        scored=reason is None,
        origin=_ORIGINS[max(prediction.origin_rank, end.origin_rank)],
        unscored_reason=reason,
        start_price=start_price,
        half_width_95=_half_width(said.interval_95),
        half_width_99=_half_width(said.interval_99),
        usual_direction=said.usual_direction,
        shadow=_by_name(said.shadow, said.horizon),
        shadow_model_set=prediction.shadow_model_set if said.shadow else None,
    )


def unscored_reason(prediction: OpenPrediction, way: Sequence[Close]) -> str | None:
    """Say why an outcome does not count; None where it does.

    A bar is partial where ticks were lost while it was open, so one on the way is enough.
    """
    ranks = {prediction.origin_rank, *(close.origin_rank for close in way)}
    reasons = {
        IN_SAMPLE: prediction.in_sample,
        WARM_UP: ORIGIN_RANK[Origin.WARM_UP] in ranks,
        REPEAT: ORIGIN_RANK[Origin.REPEAT] in ranks,
        PARTIAL: prediction.partial or any(close.partial for close in way),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _hit(direction: Direction, before: float, after: float) -> bool | None:
    """Tell whether the direction was right; a neutral one, or a price that did not move, is no trial."""
    if direction is Direction.NEUTRAL or after == before:
        return None
    return (direction is Direction.BULLISH) == (after > before)


def _inside(bounds: tuple[float, float] | None, price: float) -> bool | None:
    return None if bounds is None else bounds[0] <= price <= bounds[1]


def _half_width(bounds: tuple[float, float] | None) -> float | None:
    """Give half the width of an interval of prices, in log return."""
    return math.log(bounds[1] / bounds[0]) / 2 if bounds is not None and 0 < bounds[0] <= bounds[1] else None


def _by_name(members: Iterable[OpenMember], horizon: int) -> dict[str, MemberHorizon]:
    return {
        member.name: MemberHorizon(
            horizon=horizon,
            log_return=member.log_return,
            spread=member.spread,
            confidence=member.confidence,
            weight=member.weight,
            prior_weight=member.prior_weight,
        )
        for member in members
    }
