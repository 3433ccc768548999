"""Bars and predictions made by hand, a reference that sees both logs at once, and runs of the pure functions."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from feature_stream.ledger import SettleRecord, SettleRules, TickerLedger
from feature_stream.settle import PassedOver, Settled, take_bar, take_prediction
from feature_stream.turns import Side, Turns, Waiting
from schemas.events import (
    Bar,
    Direction,
    HorizonPrediction,
    MemberHorizon,
    MemberPrediction,
    Origin,
    Outcome,
    Prediction,
    PriceRange,
)
from schemas.identity import bar_id, final_feature_id
from tests.contents import content_of

MINUTE = 60 * 10**9
#: 2024-01-01T00:00:00Z.
MIDNIGHT = 1_704_067_200 * 10**9
RULES = SettleRules("1m", longest_horizon=21)
HORIZONS = (1, 5, 21)


def end_of(bar_index: int) -> int:
    """Give the end of a ticker's bar."""
    return MIDNIGHT + bar_index * MINUTE


def price_of(bar_index: int, ticker: str = "A") -> float:
    """Give the close of a bar: any price, the same whenever it is asked for; now and then it does not move."""
    return 100.0 + (bar_index // 2 * 37 + len(ticker) + ord(ticker[0])) % 11


def bar(bar_index: int, ticker: str = "A", **changes: Any) -> Bar:
    """Make a closed bar of a minute."""
    end_ns = changes.pop("end_ns", end_of(bar_index))
    price = changes.pop("close", price_of(bar_index, ticker))
    named: dict[str, Any] = {
        "id": bar_id(ticker, "1m", end_ns - MINUTE, partial=changes.get("partial", False)),
        "ticker": ticker,
        "interval": "1m",
        "start_ns": end_ns - MINUTE,
        "end_ns": end_ns,
        "open": price,
        "high": price,
        "low": price,
        "close": price,
        "volume": 1.0,
        "tick_count": 1,
        "bar_index": bar_index,
        "source": "s",
        "source_partition": 0,
        "source_offset": bar_index,
        "ingested_at_ns": 0,
        "closed_at_ns": 0,
    }
    return Bar(**(named | changes))


def horizon(
    number: int,
    log_return: float = 0.01,
    *,
    direction: Direction = Direction.BULLISH,
    price: float = 100.0,
    **changes: Any,
) -> HorizonPrediction:
    """Make what a prediction says of one horizon."""
    named: dict[str, Any] = {
        "horizon": number,
        "target_time_ns": 0,
        "log_return": log_return,
        "percent": 100 * math.expm1(log_return),
        "price_target": price * math.exp(log_return),
        "direction": direction,
        "confidence": 0.6,
        "interval_95": PriceRange(price * 0.97, price * 1.05),
        "interval_99": PriceRange(price * 0.9, price * 1.2),
        "volatility": 0.02 * math.sqrt(number),
        "usual_direction": Direction.BULLISH,
    }
    return HorizonPrediction(**(named | changes))


def prediction(
    bar_index: int,
    ticker: str = "A",
    *,
    version: str = "first",
    horizons: Sequence[HorizonPrediction] | Sequence[int] = HORIZONS,
    **changes: Any,
) -> Prediction:
    """Make a final prediction from a bar; of another version it has another id, and says something else."""
    end_ns = changes.get("as_of_ns", end_of(bar_index))
    price = changes.get("current_price", price_of(bar_index, ticker))
    log_return = 0.01 + len(version) / 1_000
    said = [h if isinstance(h, HorizonPrediction) else horizon(h, log_return, price=price) for h in horizons]
    own = [
        MemberHorizon(
            horizon=h.horizon, log_return=h.log_return / 2, spread=0.1, confidence=0.55, weight=1.0, prior_weight=0.4
        )
        for h in said
    ]
    named: dict[str, Any] = {
        "id": f"{final_feature_id(ticker, '1m', end_ns - MINUTE)}/{version}",
        "feature_id": final_feature_id(ticker, "1m", end_ns - MINUTE),
        "ticker": ticker,
        "interval": "1m",
        "as_of_ns": end_ns,
        "current_price": price,
        "bar_index": bar_index,
        "horizons": said,
        "models": [MemberPrediction(name="forest", version="1", horizons=own)],
        "model_set": f"set-{version}",
        "weights_version": "prior",
        "intervals_version": "holdout",
        "provisional": False,
        "in_sample": False,
        "source_partition": 0,
        "source_offset": bar_index,
        "ingested_at_ns": 0,
        "featured_at_ns": 0,
        "predicted_at_ns": 0,
    }
    return Prediction(**(named | changes))


def shown(version: str, horizons: Sequence[int] = HORIZONS, log_return: float = 0.02) -> dict[str, Any]:
    """Give the fields of a prediction that shows another set beside it: its ensemble and a member of it."""
    said = [
        MemberPrediction(
            name=name,
            version=version,
            horizons=[
                MemberHorizon(horizon=h, log_return=factor * log_return, spread=0.05, confidence=0.57, weight=1.0)
                for h in horizons
            ],
        )
        for name, factor in (("ensemble", 1.0), ("forest", 0.5))
    ]
    return {"shadow": said, "shadow_model_set": f"set-{version}"}


def said_of(outcome: Outcome) -> dict[str, Any]:
    """Give an outcome's content."""
    content = content_of(outcome)
    assert "settled_at_ns" not in content
    return content


def reference(bars: Iterable[Bar], predictions: Iterable[Prediction], rules: SettleRules = RULES) -> dict[str, Any]:
    """Say which outcomes two whole logs call for, by id: what matters of each, computed another way."""
    closes: dict[str, dict[int, Bar]] = {}
    for one in bars:
        known = closes.setdefault(one.ticker, {})
        if one.interval == rules.interval and one.bar_index > max(known, default=0):
            known[one.bar_index] = one
    expected: dict[str, Any] = {}
    said: set[tuple[str, int, int]] = set()
    for each in predictions:
        known = closes.get(each.ticker, {})
        start = known.get(each.bar_index)
        if start is None or start.end_ns != each.as_of_ns or each.interval != rules.interval or each.provisional:
            continue
        for number in [h.horizon for h in each.horizons if h.horizon <= rules.longest_horizon]:
            key = (each.ticker, each.bar_index, number)
            way = [known.get(at) for at in range(each.bar_index, each.bar_index + number + 1)]
            if key not in said and all(way) and start.close == each.current_price:
                made = _expected(each, number, [close for close in way if close is not None])
                expected[made["id"]] = made
            said.add(key)
    return expected


def _expected(each: Prediction, number: int, way: list[Bar]) -> dict[str, Any]:
    [spoken] = [h for h in each.horizons if h.horizon == number]
    first, last = way[0].close, way[-1].close
    beside = {model.name: own for model in each.shadow or [] for own in model.horizons if own.horizon == number}
    moved = (last > first) - (last < first)
    wanted = {Direction.BULLISH: 1, Direction.BEARISH: -1, Direction.NEUTRAL: 0}[spoken.direction]
    order = list(Origin)
    return {
        "id": f"{each.ticker}:1m:{way[0].id.split(':', 2)[2].removesuffix(':partial')}:h{number}",
        "prediction_id": each.id,
        "start_ns": way[0].start_ns,
        "matured_ns": way[-1].end_ns,
        "predicted_log_return": spoken.log_return,
        "actual_log_return": math.log(last / first),
        "shadow": beside,
        "shadow_model_set": each.shadow_model_set if beside else None,
        "hit": None if 0 in (moved, wanted) else moved == wanted,
        "origin": max(each.origin, way[-1].origin, key=order.index),
        "scored": not (
            each.in_sample
            or each.partial
            or any(close.partial or close.origin in ("warm_up", "repeat") for close in way)
            or each.origin in ("warm_up", "repeat")
        ),
    }


def assert_as_expected(said: dict[str, dict[str, Any]], expected: dict[str, Any]) -> None:
    """Hold what was said against the reference."""
    assert said.keys() == expected.keys()
    for name, wanted in expected.items():
        assert {key: said[name][key] for key in wanted} == wanted


@dataclass
class Settling:
    """Both logs of one partition, their state, and what came out by id; one id has one content."""

    rules: SettleRules = RULES
    record: SettleRecord = field(default_factory=lambda: SettleRecord(0))
    ledgers: dict[str, TickerLedger] = field(default_factory=dict)
    said: dict[str, dict[str, Any]] = field(default_factory=dict)
    passed_over: Counter[PassedOver] = field(default_factory=Counter)

    def take(self, event: Bar | Prediction, offset: int | None = None, now_ns: int = 0) -> Settled:
        """Take the next record of its log, or the one at an offset."""
        ledger = self.ledgers.setdefault(event.ticker, TickerLedger(event.ticker, 0))
        if isinstance(event, Bar):
            at = self.record.bars_offset + 1 if offset is None else offset
            settled = take_bar(ledger, event, at, self.rules, now_ns)
            self.record.bars_offset = at
            self.record.barred_through = max(self.record.barred_through, event.source_offset)
        else:
            at = self.record.predictions_offset + 1 if offset is None else offset
            settled = take_prediction(ledger, event, at, self.rules, now_ns)
            self.record.predictions_offset = at
            self.record.predicted_through = max(self.record.predicted_through, event.source_offset)
        for outcome in settled.outcomes:
            content = said_of(outcome)
            assert self.said.setdefault(outcome.id, content) == content, "twice, with another content"
        self.passed_over += settled.passed_over
        return settled

    def through_snapshots(self) -> None:
        """Write everything, forget it, and read it back."""
        self.record = SettleRecord.restore(self.record.snapshot())
        self.ledgers = {name: TickerLedger.restore(ledger.snapshot()) for name, ledger in self.ledgers.items()}


def merged(settling: Settling, turns: Turns, now: float = 0.0) -> None:
    """Take all whose turn it is."""
    while (side := turns.next_side(settling.record, settling.ledgers, settling.rules, now)) is not None:
        waiting = turns.queues[side].popleft()
        assert waiting.event is not None
        settling.take(waiting.event, waiting.offset)


def put(turns: Turns, offset: int, event: Bar | Prediction) -> None:
    """Let a record be read."""
    turns.queues[Side.BARS if isinstance(event, Bar) else Side.PREDICTIONS].append(Waiting(offset, event))
