"""Predictions become outcomes: which ones, with what in them, and the same however the two logs come."""

import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import hypothesis.strategies as some
import msgspec
import pytest
from hypothesis import given

from feature_stream.ledger import LEAST_CLOSES, MOST_AHEAD, SettleRecord, SettleRules, TickerLedger
from feature_stream.settle import PassedOver, take_bar
from feature_stream.snapshots import SnapshotError
from schemas.events import Bar, Direction, Origin, Outcome, Prediction, PriceRange
from schemas.times import interval_ns
from tests.feature_stream.settling import (
    HORIZONS,
    MINUTE,
    RULES,
    Settling,
    assert_as_expected,
    bar,
    end_of,
    horizon,
    prediction,
    price_of,
    reference,
    said_of,
    shown,
)

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"


def _outcome(start: Bar, made: Prediction, *others: Bar) -> Outcome:
    """Give the one outcome of a prediction from a bar, once all others have come."""
    settling = Settling()
    events: list[Bar | Prediction] = [start, made, *others]
    taken = [settling.take(event) for event in events]
    [outcome] = [outcome for each in taken for outcome in each.outcomes]
    return outcome


def test_an_outcome_holds_what_was_said_beside_what_happened() -> None:
    spoken = horizon(2, 0.01, interval_95=PriceRange(96.0, 104.0), interval_99=PriceRange(90.0, 120.0))
    made = prediction(7, horizons=[spoken], current_price=100.0)
    outcome = _outcome(bar(7, close=100.0), made, bar(8, close=90.0), bar(9, close=105.0, source_offset=77))
    about: Any = pytest.approx
    assert outcome == Outcome(
        id="A:1m:2024-01-01T00:06:00Z:h2",
        prediction_id=made.id,
        ticker="A",
        interval="1m",
        start_ns=end_of(6),
        bar_index=7,
        horizon=2,
        as_of_ns=end_of(7),
        matured_ns=end_of(9),
        model_set="set-first",
        predicted_log_return=0.01,
        actual_log_return=math.log(1.05),
        direction=Direction.BULLISH,
        confidence=0.6,
        hit=True,
        inside_95=False,
        inside_99=True,
        volatility=about(0.02),
        models={"forest": made.models[0].horizons[0]},
        weights_version="prior",
        intervals_version="holdout",
        source_partition=0,
        source_offset=77,
        settled_at_ns=0,
        scored=True,
        origin=Origin.NORMAL,
        unscored_reason=None,
        start_price=100.0,
        half_width_95=about(math.log(104 / 96) / 2),
        half_width_99=about(math.log(120 / 90) / 2),
        usual_direction=Direction.BULLISH,
    )


def test_the_example_of_the_contract_comes_out_of_its_prediction() -> None:
    made = msgspec.json.decode((EXAMPLES / "Prediction.json").read_bytes(), type=Prediction)
    known = msgspec.json.decode((EXAMPLES / "Outcome.json").read_bytes(), type=Outcome)
    settling = Settling(SettleRules("1d"))
    last = made.current_price * math.exp(known.actual_log_return)
    day = {"ticker": made.ticker, "interval": "1d"}
    settling.take(bar(made.bar_index, end_ns=made.as_of_ns, close=made.current_price, **day))
    settling.take(made)
    settling.take(bar(made.bar_index + 1, end_ns=known.matured_ns, close=last, **day))
    said = settling.said[known.id]
    unsaid = {"actual_log_return", "volatility", "start_price", "half_width_95", "half_width_99"}
    for name, value in said_of(known).items():
        assert name in unsaid or said[name] == value, name
    assert said["actual_log_return"] == pytest.approx(known.actual_log_return, abs=1e-12)
    assert known.start_ns == made.as_of_ns - interval_ns("1d")


@pytest.mark.parametrize(
    ("direction", "last", "hit"),
    [
        (Direction.BULLISH, 101.0, True),
        (Direction.BULLISH, 99.0, False),
        (Direction.BEARISH, 99.0, True),
        (Direction.BEARISH, 101.0, False),
        (Direction.BULLISH, 100.0, None),
        (Direction.BEARISH, 100.0, None),
        (Direction.NEUTRAL, 101.0, None),
    ],
)
def test_a_direction_is_right_or_wrong_or_no_trial(direction: Direction, last: float, hit: bool | None) -> None:
    made = prediction(1, horizons=[horizon(1, direction=direction)], current_price=100.0)
    assert _outcome(bar(1, close=100.0), made, bar(2, close=last)).hit is hit


@pytest.mark.parametrize(("last", "inside"), [(97.0, True), (105.0, True), (96.99, False), (105.01, False)])
def test_the_ends_of_an_interval_are_inside(last: float, inside: bool) -> None:
    made = prediction(1, horizons=[horizon(1, interval_95=PriceRange(97.0, 105.0))], current_price=100.0)
    assert _outcome(bar(1, close=100.0), made, bar(2, close=last)).inside_95 is inside


def test_what_a_prediction_did_not_say_is_null_or_nought() -> None:
    silent = horizon(1, interval_95=None, interval_99=None, volatility=None, usual_direction=None)
    outcome = _outcome(bar(1), prediction(1, horizons=[silent]), bar(2))
    assert (outcome.inside_95, outcome.inside_99, outcome.half_width_95, outcome.half_width_99) == (None,) * 4
    assert (outcome.volatility, outcome.usual_direction) == (0.0, None)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"in_sample": True, "partial": True}, "in_sample"),
        ({"origin": Origin.WARM_UP}, "warm_up"),
        ({"origin": Origin.REPEAT}, "repeat"),
        ({"partial": True}, "partial"),
        ({"origin": Origin.SIMULATED}, None),
        ({"origin": Origin.FILLED}, None),
    ],
)
def test_a_prediction_that_does_not_count_says_why(changes: dict[str, Any], reason: str | None) -> None:
    outcome = _outcome(bar(1), prediction(1, horizons=[1], **changes), bar(2))
    assert (outcome.scored, outcome.unscored_reason) == (reason is None, reason)
    assert outcome.origin == changes.get("origin", Origin.NORMAL)


@pytest.mark.parametrize(
    ("at", "changes", "reason"),
    [
        (1, {"partial": True}, "partial"),
        (2, {"partial": True}, "partial"),
        (3, {"partial": True}, "partial"),
        (4, {"partial": True}, None),
        (3, {"origin": Origin.REPEAT}, "repeat"),
        (1, {"origin": Origin.WARM_UP}, "warm_up"),
        (3, {"origin": Origin.SIMULATED}, None),
    ],
)
def test_a_bar_on_the_way_that_does_not_count_takes_the_outcome_with_it(
    at: int, changes: dict[str, Any], reason: str | None
) -> None:
    bars = [bar(index, **(changes if index == at else {})) for index in range(1, 5)]
    outcome = _outcome(bars[0], prediction(1, horizons=[2]), *bars[1:])
    assert outcome.unscored_reason == reason


def test_the_origin_is_the_last_in_rank_of_the_predictions_and_the_closing_bars() -> None:
    ends = {Origin.NORMAL: Origin.WARM_UP, Origin.SIMULATED: Origin.SIMULATED}
    for last, carried in ends.items():
        outcome = _outcome(bar(1), prediction(1, horizons=[1], origin=Origin.WARM_UP), bar(2, origin=last))
        assert (outcome.origin, outcome.unscored_reason) == (carried, "warm_up")


def test_the_first_prediction_of_a_bar_and_horizon_counts_also_when_the_second_comes_after_it_matured() -> None:
    settling = Settling()
    settling.take(bar(1))
    settling.take(prediction(1, horizons=[1, 5]))
    settling.take(prediction(1, horizons=[1, 5, 21], version="second"))
    for index in range(2, 30):
        settling.take(bar(index))
    settling.take(prediction(1, version="third"))
    assert {said["horizon"]: said["model_set"] for said in settling.said.values()} == {
        1: "set-first",
        5: "set-first",
        21: "set-second",
    }
    assert settling.passed_over == {PassedOver.DUPLICATE: 5}


def test_a_prediction_that_is_later_than_the_closes_that_are_kept_is_passed_over() -> None:
    for late, settled in ((LEAST_CLOSES - 1, True), (LEAST_CLOSES, False)):
        settling = Settling()
        for index in range(1, 2 + late):
            settling.take(bar(index))
        settling.take(prediction(1))
        assert bool(settling.said) is settled
        assert settling.passed_over[PassedOver.LATE] == (0 if settled else len(HORIZONS))


def test_a_prediction_over_a_gap_never_matures_and_is_forgotten() -> None:
    settling = Settling()
    for index in (1, 2, 4, 5, 6, 7, 8):
        settling.take(bar(index))
        settling.take(prediction(index, horizons=[1, 2]))
    settling.take(prediction(3))
    assert sorted(said["bar_index"] for said in settling.said.values()) == [1, 4, 4, 5, 5, 6, 6, 7]
    assert settling.passed_over[PassedOver.NO_BAR] == 1 + 2 + 3
    assert [each.bar_index for each in settling.ledgers["A"].open] == [7, 8]


@pytest.mark.parametrize("changes", [{"current_price": 1.0}, {"as_of_ns": end_of(2)}])
@pytest.mark.parametrize("first", ["bar", "prediction"])
def test_a_prediction_from_another_close_than_the_log_has_is_no_outcome(changes: dict[str, Any], first: str) -> None:
    settling = Settling()
    events: list[Bar | Prediction] = [bar(1), prediction(1, horizons=[1], **changes)]
    for event in events if first == "bar" else reversed(events):
        settling.take(event)
    settling.take(bar(2))
    assert not settling.said
    assert settling.passed_over == {PassedOver.OTHER_BAR: 1}
    assert not settling.ledgers["A"].open


def test_what_is_of_another_interval_or_provisional_or_too_long_is_passed_over() -> None:
    settling = Settling()
    settling.take(bar(1))
    settling.take(bar(2, interval="1h"))
    settling.take(prediction(1, interval="1h"))
    settling.take(prediction(1, provisional=True, horizons=[1]))
    settling.take(prediction(1, horizons=[22]))
    assert settling.passed_over == {PassedOver.INTERVAL: 4, PassedOver.PROVISIONAL: 1, PassedOver.HORIZON: 1}
    assert settling.ledgers["A"].newest_index == 1
    assert not settling.ledgers["A"].open


def test_a_bar_that_comes_again_changes_nothing() -> None:
    settling = Settling()
    for index in (1, 2, 1, 2, 3):
        settling.take(bar(index, close=price_of(index) + (1.0 if settling.record.bars_offset in (1, 2) else 0.0)))
    assert [close.price for close in settling.ledgers["A"].closes] == [price_of(index) for index in (1, 2, 3)]
    assert settling.passed_over == {PassedOver.BAR_REPEATED: 2}


def test_what_a_ledger_keeps_is_bounded() -> None:
    settling = Settling()
    for index in range(1, 500):
        settling.take(bar(index))
        settling.take(prediction(index))
    ledger = settling.ledgers["A"]
    assert len(ledger.closes) == LEAST_CLOSES
    assert len(ledger.open) == 21
    assert sum(len(each.horizons) for each in ledger.open) == 1 + 5 + 21
    assert len(ledger.snapshot()) < 12_000
    for index in range(1_000, 1_500):
        settling.take(prediction(index, horizons=[1]))
    assert len(ledger.open) == 21 + MOST_AHEAD
    assert {each.bar_index for each in ledger.open[21:]} == set(range(1_000, 1_000 + MOST_AHEAD))
    assert settling.passed_over[PassedOver.AHEAD] == 500 - MOST_AHEAD


def test_a_longer_horizon_keeps_more_closes() -> None:
    rules = SettleRules("1m", longest_horizon=100)
    settling = Settling(rules)
    for index in range(1, 103):
        settling.take(bar(index))
        settling.take(prediction(index, horizons=[100]))
    assert sorted(said["bar_index"] for said in settling.said.values()) == [1, 2]


def test_a_record_that_was_absorbed_is_passed_over() -> None:
    settling = Settling()
    settling.take(bar(1), 5)
    settling.take(prediction(1), 9)
    before = settling.ledgers["A"].snapshot()
    settling.take(bar(2), 5)
    settling.take(prediction(1, version="other"), 8)
    assert settling.ledgers["A"].snapshot() == before


def test_a_prediction_without_any_bar_waits_for_it() -> None:
    settling = Settling()
    settling.take(prediction(500, horizons=[1]))
    settling.take(bar(500))
    settling.take(bar(501))
    assert len(settling.said) == 1


def test_the_time_of_settling_is_the_clocks_and_nothing_else_is() -> None:
    contents = []
    for now_ns in (1, 2):
        settling = Settling()
        settling.take(bar(1), now_ns=now_ns)
        settling.take(prediction(1, horizons=[1]), now_ns=now_ns)
        [outcome] = settling.take(bar(2), now_ns=now_ns).outcomes
        assert outcome.settled_at_ns == now_ns
        contents.append(said_of(outcome))
    assert contents[0] == contents[1]


def test_a_ledger_behind_the_one_that_was_kept_is_read_again_from_where_it_stands() -> None:
    record = SettleRecord(0, 90, 80, barred_through=500, predicted_through=400)
    record.go_back_for([])
    assert (record.barred_through, record.predicted_through) == (500, 400)
    for name, place in {"A": (70, 60), "B": (90, 80), "C": (40, 75)}.items():
        record.keep(TickerLedger(name, 0, *place))
    ledgers = {"A": TickerLedger("A", 0, 70, 60), "B": TickerLedger("B", 0, 95, 79), "C": TickerLedger("C", 0, 39, 80)}
    behind = record.behind(ledgers)
    assert [ledger.ticker for ledger in behind] == ["B", "C"]
    record.go_back_for(behind)
    assert (record.bars_offset, record.predictions_offset) == (39, 79)
    assert (record.barred_through, record.predicted_through) == (-1, -1), "what is read again is merged again"
    record.go_back_for(record.behind({}))
    assert (record.bars_offset, record.predictions_offset) == (-1, -1)


@pytest.mark.parametrize("kind", [TickerLedger, SettleRecord])
def test_a_snapshot_of_another_version_is_refused(kind: type[TickerLedger] | type[SettleRecord]) -> None:
    with pytest.raises(SnapshotError, match="snapshot version 99"):
        kind.restore(msgspec.msgpack.encode([99, "A"]))


def _written(version: int, *, close: list[Any], open_shadow: list[Any], shadow_of: list[Any]) -> list[Any]:
    """Give a ledger as a version writes it: with a close, and a prediction of one horizon."""
    return [
        version,
        "A",
        0,
        0,
        0,
        [[1, end_of(1), price_of(1), True, 3, 1, [1], *close]],
        [
            [
                prediction(1).id,
                1,
                end_of(1),
                price_of(1),
                "set-first",
                "prior",
                "holdout",
                False,
                False,
                0,
                [
                    [
                        *(1, 0.015, "bullish", 0.6),
                        *([price_of(1) * 0.97, price_of(1) * 1.05], [price_of(1) * 0.9, price_of(1) * 1.2]),
                        *(0.02, "bullish", [["forest", 0.0075, 0.1, 0.55, 1.0, 0.4]]),
                        *open_shadow,
                    ]
                ],
                *shadow_of,
            ]
        ],
    ]


def _absorbed(**changes: Any) -> TickerLedger:
    settling = Settling()
    settling.take(bar(1, partial=True, origin=Origin.REPEAT))
    settling.take(prediction(1, horizons=[1], **changes))
    return settling.ledgers["A"]


def test_todays_snapshots_are_read_by_every_later_version() -> None:
    ledger = _absorbed(**shown("beside"))
    words = [["ensemble", 0.02, 0.05, 0.57, 1.0, None], ["forest", 0.01, 0.05, 0.57, 1.0, None]]
    written = _written(3, close=[1.0], open_shadow=[words], shadow_of=["set-beside"])
    assert msgspec.msgpack.decode(ledger.snapshot()) == written
    record = SettleRecord(3, 7, 8, 9, 10, {"A": (1, 2)})
    assert msgspec.msgpack.decode(record.snapshot()) == [1, 3, 7, 8, 9, 10, {"A": [1, 2]}]
    assert SettleRecord.restore(record.snapshot()) == record
    assert TickerLedger.restore(ledger.snapshot()) == ledger


def test_a_snapshot_of_the_time_before_splits_is_read() -> None:
    words = [["ensemble", 0.02, 0.05, 0.57, 1.0, None], ["forest", 0.01, 0.05, 0.57, 1.0, None]]
    old = _written(2, close=[], open_shadow=[words], shadow_of=["set-beside"])
    assert TickerLedger.restore(msgspec.msgpack.encode(old)) == _absorbed(**shown("beside"))


def test_a_snapshot_of_the_time_before_shadows_is_read_and_settles_as_it_would_have() -> None:
    old = msgspec.msgpack.encode(_written(1, close=[], open_shadow=[], shadow_of=[]))
    restored = TickerLedger.restore(old)
    assert restored == _absorbed()
    [outcome] = take_bar(restored, bar(2), 1, RULES, 0).outcomes
    assert (outcome.shadow, outcome.shadow_model_set) == ({}, None)
    assert outcome.models.keys() == {"forest"}


def test_an_outcome_holds_what_was_shown_beside_it_by_name() -> None:
    made = prediction(1, horizons=[1, 2], **shown("beside", [1, 5]))
    settling = Settling()
    for event in (bar(1), made, bar(2), bar(3)):
        settling.take(event)
        settling.through_snapshots()
    at_one, at_two = settling.said.values()
    assert at_one["shadow"] == {model.name: model.horizons[0] for model in made.shadow or ()}
    assert at_one["shadow_model_set"] == "set-beside"
    assert (at_two["shadow"], at_two["shadow_model_set"]) == ({}, None), "it said nothing of two bars"
    assert at_one["model_set"] == "set-first"


# Logs as they may be: what is sent again after a crash, gaps, predictions from elsewhere, some that never come.


@some.composite
def _logs(draw: some.DrawFn, longest: int = 50) -> tuple[list[Bar], list[Prediction]]:
    rng = random.Random(draw(some.integers(0, 2**32)))
    count, tickers = draw(some.integers(1, longest)), draw(some.integers(1, 3))
    gaps, repeats, odd = (draw(some.sampled_from([0.0, 0.0, 0.1, 0.3])) for _ in range(3))
    bars: list[Bar] = []
    predictions: list[Prediction] = []
    for index in range(1, count + 1):
        for ticker in "ABC"[:tickers]:
            place = {"source_offset": index * 10}
            if rng.random() >= gaps:
                marks = {"partial": rng.random() < odd, "origin": Origin.REPEAT if rng.random() < odd / 9 else "normal"}
                bars.append(bar(index, ticker, **marks, **place))
            if rng.random() >= gaps:
                predictions.append(_some_prediction(rng, index, ticker, odd, place))
        if rng.random() < repeats:
            bars += [msgspec.structs.replace(each, closed_at_ns=7) for each in bars[-rng.randrange(1, 6) :]]
        if rng.random() < repeats:
            again = [_again(rng, each) for each in predictions[-rng.randrange(1, 9) :]]
            predictions += again
    return bars, predictions


def _some_prediction(rng: random.Random, index: int, ticker: str, odd: float, place: dict[str, Any]) -> Prediction:
    direction = rng.choice(list(Direction))
    horizons = [horizon(number, rng.gauss(0, 0.01), direction=direction) for number in HORIZONS]
    changes: dict[str, Any] = {"in_sample": rng.random() < odd, "partial": rng.random() < odd}
    if rng.random() < 0.5:
        changes |= shown("beside", HORIZONS[: rng.randrange(1, 4)], rng.gauss(0, 0.01))
    if rng.random() < odd / 3:
        changes |= rng.choice(
            [{"current_price": 1.0}, {"as_of_ns": end_of(index) + MINUTE}, {"interval": "1h"}, {"provisional": True}]
        )
    return prediction(index, ticker, horizons=horizons, **(changes | place))


def _again(rng: random.Random, each: Prediction) -> Prediction:
    """Say a prediction again, after a restart: by other members, or with fewer horizons."""
    again = prediction(each.bar_index, each.ticker, version="again", horizons=rng.choice([(1, 5), HORIZONS]))
    return msgspec.structs.replace(again, source_offset=each.source_offset, as_of_ns=each.as_of_ns)


def _interleaved(rng: random.Random, one: Sequence[object], two: Sequence[object]) -> list[bool]:
    turns = [True] * len(one) + [False] * len(two)
    if rng.random() < 0.7:
        rng.shuffle(turns)
    elif rng.random() < 0.5:
        turns.reverse()
    return turns


@given(logs=_logs(), seed=some.integers(0, 2**32))
def test_however_the_logs_interleave_the_outcomes_are_those_that_both_call_for(
    logs: tuple[list[Bar], list[Prediction]], seed: int
) -> None:
    bars, predictions = logs
    settling, rng = Settling(), random.Random(seed)
    ahead: Iterator[Bar | Prediction] = iter(bars)
    behind: Iterator[Bar | Prediction] = iter(predictions)
    for is_bar in _interleaved(rng, bars, predictions):
        settling.take(next(ahead) if is_bar else next(behind))
        if rng.random() < 0.1:
            settling.through_snapshots()
    assert_as_expected(settling.said, reference(bars, predictions))
    assert all(each.horizons for ledger in settling.ledgers.values() for each in ledger.open)


@given(logs=_logs(), seed=some.integers(0, 2**32))
def test_lives_that_end_anywhere_and_begin_at_the_last_checkpoint_say_nothing_else_and_miss_nothing(
    logs: tuple[list[Bar], list[Prediction]], seed: int
) -> None:
    bars, predictions = logs
    rng, settling = random.Random(seed), Settling()
    kept_record, kept = settling.record.snapshot(), dict[str, bytes]()
    for life in range(6):  # each takes another way through what is left, and only the last one comes to the end
        settling.record = SettleRecord.restore(kept_record)
        settling.ledgers = {name: TickerLedger.restore(data) for name, data in kept.items()}
        rest_bars = list(enumerate(bars))[settling.record.bars_offset + 1 :]
        rest = list(enumerate(predictions))[settling.record.predictions_offset + 1 :]
        turns = _interleaved(rng, rest_bars, rest)
        ahead: Iterator[tuple[int, Bar | Prediction]] = iter(rest_bars)
        behind: Iterator[tuple[int, Bar | Prediction]] = iter(rest)
        for is_bar in turns if life == 5 else turns[: rng.randrange(len(turns) + 1)]:
            offset, event = next(ahead) if is_bar else next(behind)
            settling.take(event, offset)
            if rng.random() < 0.1:  # a ledger is written, and no record: the process dies before
                name = event.ticker
                kept[name] = settling.ledgers[name].snapshot()
            if rng.random() < 0.1:
                kept |= {name: ledger.snapshot() for name, ledger in settling.ledgers.items()}
                kept_record = settling.record.snapshot()
    assert_as_expected(settling.said, reference(bars, predictions))


def test_rules_say_how_many_closes_are_kept() -> None:
    assert (RULES.kept_closes, SettleRules("1d", 63).kept_closes, SettleRules("1d", 64).kept_closes) == (64, 64, 65)
