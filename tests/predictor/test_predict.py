"""Feature events to predictions, whole."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from predictor.models.statistical import StatisticalForecaster, normal_confidence
from predictor.predict import predict
from schemas.codec import decoder, encode
from schemas.events import Direction, Features, Origin, Prediction
from tests.predictor.feature_events import DAY_NS, before_any_bar, final, provisional_after, warming_up
from tests.predictor.forecasters import HORIZONS, FirstRowOnly, Momentum, NotFinite, Raising, a_set

FOREST, LSTM = Momentum("forest", 0.5), Momentum("lstm", -0.2)
PAIR = a_set([FOREST, LSTM], [0.4, 0.6])
SEEDS = st.integers(0, 10_000)


def only(event: Features, model_set: object = PAIR) -> Prediction:
    (prediction,) = predict([event], model_set, HORIZONS, now_ns=9).predictions  # type: ignore[arg-type]
    return prediction


def content(prediction: Prediction) -> Prediction:
    return structs.replace(prediction, predicted_at_ns=0, ingested_at_ns=0, featured_at_ns=0, source_offset=0)


def mixed_events(seed: int) -> list[Features]:
    events = []
    for number, ticker in enumerate(("AAPL", "GOOG", "IBM", "MSFT")):
        closed = final(ticker, seed=seed, day=number)
        moved = closed.current_price * math.exp(0.02 * (number - 1))
        events += [closed, provisional_after(closed, price=moved)]
    return [*events, warming_up(final("FB", seed=seed), returns=12), before_any_bar()]


def test_a_final_event_is_answered_by_both_members_and_by_neither_alone() -> None:
    prediction = only(final())
    forest, lstm = prediction.models
    assert [model.name for model in prediction.models] == ["forest", "lstm"]
    assert prediction.degraded is None
    for ours, first, second in zip(prediction.horizons, forest.horizons, lstm.horizons, strict=True):
        assert ours.log_return == pytest.approx(0.4 * first.log_return + 0.6 * second.log_return, abs=1e-15)
        assert ours.log_return not in (first.log_return, second.log_return)
        assert (first.weight, second.weight) == (0.4, 0.6)
        assert ours.confidence == min(first.confidence, second.confidence)


@given(SEEDS)
def test_price_percent_and_log_return_say_the_same(seed: int) -> None:
    for prediction in predict(mixed_events(seed), PAIR, HORIZONS, now_ns=9).predictions:
        for horizon in prediction.horizons:
            assert horizon.price_target > 0
            ratio = horizon.price_target / prediction.current_price
            assert ratio == pytest.approx(math.exp(horizon.log_return), rel=1e-12)
            assert horizon.percent == pytest.approx(100 * (ratio - 1), abs=1e-9)


@given(SEEDS)
def test_weights_of_members_add_up_to_one(seed: int) -> None:
    for prediction in predict(mixed_events(seed), PAIR, HORIZONS, now_ns=9).predictions:
        for place in range(len(HORIZONS)):
            assert sum(model.horizons[place].weight for model in prediction.models) == pytest.approx(1.0, abs=1e-12)


@given(SEEDS)
def test_the_wider_interval_holds_the_narrower_and_both_hold_the_target(seed: int) -> None:
    for prediction in predict(mixed_events(seed), PAIR, HORIZONS, now_ns=9).predictions:
        for horizon in prediction.horizons:
            narrow, wide = horizon.interval_95, horizon.interval_99
            if narrow is None or wide is None:
                assert narrow is wide is None
                assert prediction.ticker == "NEW"
                continue
            assert 0 < wide.low < narrow.low < horizon.price_target < narrow.high < wide.high


@given(SEEDS)
def test_neutral_if_and_only_if_no_likelier_right_than_wrong(seed: int) -> None:
    for prediction in predict(mixed_events(seed), PAIR, HORIZONS, now_ns=9).predictions:
        for horizon in prediction.horizons:
            assert 0.0 <= horizon.confidence <= 1.0
            assert (horizon.direction is Direction.NEUTRAL) == (horizon.confidence <= 0.5)
            if horizon.direction is not Direction.NEUTRAL:
                assert (horizon.direction is Direction.BULLISH) == (horizon.log_return > 0)


def test_members_of_opposite_minds_leave_the_direction_open() -> None:
    (prediction,) = predict([final()], PAIR, HORIZONS, now_ns=9).predictions
    assert {horizon.direction for horizon in prediction.horizons} == {Direction.NEUTRAL}


def test_members_of_one_mind_are_as_sure_as_the_less_sure_one() -> None:
    pair = a_set([Momentum("forest", 0.5), Momentum("lstm", 0.2)], [0.4, 0.6])
    event = final()
    up = event.model_inputs[0] > 0
    for horizon in only(event, pair).horizons:
        assert horizon.direction is (Direction.BULLISH if up else Direction.BEARISH)
        less_sure = 1 / (1 + math.exp(-abs(0.2 * event.model_inputs[0])))
        assert horizon.confidence == pytest.approx(less_sure, abs=1e-6)


@given(st.permutations(range(10)))
def test_the_order_of_the_batch_does_not_matter(order: list[int]) -> None:
    events = mixed_events(7)
    straight = predict(events, PAIR, HORIZONS, now_ns=9).predictions
    shuffled = predict([events[place] for place in order], PAIR, HORIZONS, now_ns=9).predictions
    assert [straight[place] for place in order] == shuffled


def test_predictions_differ_between_tickers_and_over_time() -> None:
    events = [final(ticker, day=day) for ticker in ("AAPL", "GOOG") for day in (0, 1, 2)]
    returns = {each.horizons[0].log_return for each in predict(events, PAIR, HORIZONS, now_ns=9).predictions}
    assert len(returns) == len(events)


def test_one_call_of_each_model_answers_all_rows() -> None:
    members = [Momentum("forest", 0.5), Momentum("lstm", 0.2)]
    predict(mixed_events(1), a_set(members, [0.4, 0.6]), HORIZONS, now_ns=9)
    assert [member.batch_sizes for member in members] == [[8], [8]]


def test_a_provisional_event_keeps_the_target_and_predicts_what_is_still_to_go() -> None:
    closed = final()
    moved = provisional_after(closed, price=closed.current_price * math.exp(0.03))
    before, now = only(closed), only(moved)
    for earlier, later in zip(before.horizons, now.horizons, strict=True):
        assert later.price_target == pytest.approx(earlier.price_target, rel=1e-12)
        assert later.log_return == pytest.approx(earlier.log_return - 0.03, abs=1e-12)
        assert later.target_time_ns == earlier.target_time_ns
    for model in range(2):
        spreads = [[each.spread for each in one.models[model].horizons] for one in (before, now)]
        assert spreads[0] == spreads[1]
    assert now.provisional
    assert not before.provisional


@given(SEEDS, st.floats(-0.05, 0.05))
def test_a_provisional_event_is_as_sure_as_the_forecast_was_and_neutral_where_the_rest_points_elsewhere(
    seed: int, move: float
) -> None:
    closed = final(seed=seed)
    moved = provisional_after(closed, price=closed.current_price * math.exp(move))
    for model_set in (a_set([FOREST, Momentum("lstm", 0.2)], [0.4, 0.6], slope=3.0), None):
        for before, now in zip(only(closed, model_set).horizons, only(moved, model_set).horizons, strict=True):
            if before.log_return * now.log_return > 0:
                assert (now.confidence, now.direction) == (before.confidence, before.direction)
            else:
                assert (now.confidence, now.direction) == (0.5, Direction.NEUTRAL)


def test_a_member_that_is_wrong_more_often_than_right_makes_no_reversed_direction() -> None:
    contrary = a_set([FOREST], [1.0], slope=-3.0)
    closed = final()
    target = only(closed, contrary).horizons[0].log_return
    passed = provisional_after(closed, price=closed.current_price * math.exp(2 * target))
    assert only(closed, contrary).horizons[0].confidence < 0.5
    assert only(passed, contrary).horizons[0].confidence == 0.5
    assert only(passed, contrary).horizons[0].direction is Direction.NEUTRAL


def test_before_any_closed_bar_nothing_is_known_and_nothing_is_claimed() -> None:
    prediction = only(before_any_bar())
    assert (prediction.model_set, prediction.degraded) == ("statistical", "warming up")
    for horizon in prediction.horizons:
        assert (horizon.log_return, horizon.confidence) == (0.0, 0.5)
        assert horizon.direction is Direction.NEUTRAL
        assert horizon.price_target == prediction.current_price
        assert horizon.interval_95 is None
        assert horizon.interval_99 is None
    assert [each.spread for each in prediction.models[0].horizons] == [None] * 3


@pytest.mark.parametrize(("returns", "known"), [(0, False), (1, False), (9, False), (10, True)])
def test_a_few_returns_tell_no_spread_and_so_no_direction_and_no_interval(returns: int, known: bool) -> None:
    prediction = only(warming_up(final(), returns=returns))
    for horizon, its in zip(prediction.horizons, prediction.models[0].horizons, strict=True):
        assert (horizon.interval_95 is not None, horizon.interval_99 is not None, its.spread is not None) == (
            known,
        ) * 3
        assert (horizon.confidence > 0.5) == (horizon.direction is not Direction.NEUTRAL) == known


def test_without_a_set_the_statistical_forecaster_answers_with_normal_confidence() -> None:
    event = final()
    prediction = only(event, None)
    assert (prediction.model_set, prediction.degraded) == ("statistical", "untrained")
    assert prediction.intervals_version == "normal2-1.5.21"
    assert not prediction.in_sample
    (model,) = prediction.models
    assert (model.name, model.version) == ("statistical", StatisticalForecaster.version)
    mean = sum(event.returns) / len(event.returns)
    for place, horizon in enumerate(HORIZONS):
        spread = model.horizons[place].spread
        assert spread is not None
        assert prediction.horizons[place].log_return == pytest.approx(mean * horizon, abs=1e-12)
        sure = normal_confidence(mean * horizon, spread)
        assert prediction.horizons[place].confidence == pytest.approx(sure, abs=1e-12)
        interval = prediction.horizons[place].interval_95
        assert interval is not None
        half_width = math.log(interval.high / interval.low) / 2
        assert half_width == pytest.approx(1.959964 * spread, rel=1e-6)


def test_hold_out_quantiles_in_the_wrong_order_still_give_intervals_that_nest() -> None:
    for horizon in only(final(), a_set([FOREST, LSTM], [0.4, 0.6], quantiles=(3.0, 2.0))).horizons:
        assert horizon.interval_95 is not None
        assert horizon.interval_99 == horizon.interval_95


def test_intervals_of_a_set_are_its_quantiles_times_volatility_and_root_of_the_horizon() -> None:
    event = final()
    assert event.volatility is not None
    for horizon in only(event, a_set([FOREST, LSTM], [0.4, 0.6], quantiles=(1.5, 4.0))).horizons:
        assert horizon.interval_95 is not None
        assert horizon.interval_99 is not None
        unit = event.volatility * math.sqrt(horizon.horizon)
        assert math.log(horizon.interval_95.high / horizon.price_target) == pytest.approx(1.5 * unit, rel=1e-9)
        assert math.log(horizon.price_target / horizon.interval_99.low) == pytest.approx(4.0 * unit, rel=1e-9)


def test_a_member_that_raises_is_left_out_and_said() -> None:
    broken = a_set([FOREST, Raising("lstm", 1.0)], [0.4, 0.6])
    predicted = predict([final()], broken, HORIZONS, now_ns=9)
    (prediction,) = predicted.predictions
    assert prediction.degraded == "without lstm"
    assert [(model.name, model.horizons[0].weight) for model in prediction.models] == [("forest", 1.0)]
    assert prediction.horizons[0].log_return == prediction.models[0].horizons[0].log_return
    assert prediction.id.endswith("/forest")
    assert "the session is broken" in predicted.failures["lstm"]


def test_a_member_that_gives_another_number_of_rows_is_left_out() -> None:
    events = [final("AAPL"), final("GOOG")]
    predicted = predict(events, a_set([FOREST, FirstRowOnly("lstm", 1.0)], [0.4, 0.6]), HORIZONS, now_ns=9)
    assert [each.degraded for each in predicted.predictions] == ["without lstm"] * 2
    assert "shape (1, 3), not (2, 3)" in predicted.failures["lstm"]


def test_a_member_whose_numbers_are_not_finite_is_left_out_of_those_rows_only() -> None:
    events = [final("AAPL", seed=seed) for seed in range(8)]
    negative = [event.model_inputs[0] < 0 for event in events]
    assert len(set(negative)) == 2
    partly = a_set([FOREST, NotFinite("lstm", 1.0)], [0.4, 0.6])
    predicted = predict(events, partly, HORIZONS, now_ns=9).predictions
    assert [each.degraded for each in predicted] == ["without lstm" if bad else None for bad in negative]
    assert [len(each.models) for each in predicted] == [1 if bad else 2 for bad in negative]


def test_a_member_that_could_not_be_loaded_is_said() -> None:
    assert only(final(), a_set([FOREST], [0.4], unloaded=["lstm"])).degraded == "without lstm"


@pytest.mark.parametrize("event", [final(), before_any_bar()], ids=["untrained", "no bar yet"])
def test_statistical_answers_for_other_horizons_are_other_predictions(event: Features) -> None:
    ids = {predict([event], None, horizons, now_ns=9).predictions[0].id for horizons in ((1, 5, 21), (1, 5), (15, 21))}
    assert len(ids) == 3


def test_when_no_member_answers_the_statistical_forecaster_does_under_a_name_of_its_own() -> None:
    event = final()
    answer = only(event, a_set([Raising("forest", 1.0), Raising("lstm", 1.0)], [0.4, 0.6]))
    untrained = only(event, None)
    assert answer.degraded == "no member answered"
    assert answer.horizons == untrained.horizons
    assert answer.id != untrained.id


def test_a_member_without_weight_is_shown_and_does_not_count() -> None:
    watched = a_set([FOREST, LSTM, Momentum("shown", 99.0)], [0.4, 0.6, 0.0])
    prediction = only(final(), watched)
    assert prediction.horizons == only(final()).horizons
    assert prediction.models[2].horizons[0].weight == 0.0
    assert prediction.degraded is None


def test_only_a_member_without_weight_is_no_answer() -> None:
    alone = a_set([Raising("forest", 1.0), Momentum("shown", 99.0)], [1.0, 0.0])
    assert only(final(), alone).degraded == "no member answered"


def test_inputs_of_another_feature_version_are_not_shown_to_the_models() -> None:
    prediction = only(structs.replace(final(), feature_version="0", model_inputs=[1.0]))
    assert prediction.degraded == "other feature version"
    assert prediction.models[0].name == "statistical"


def test_a_ticker_that_stands_still_is_no_fault_of_any_member() -> None:
    still = structs.replace(final("STILL"), volatility=0.0, returns=[0.0] * 64)
    said = predict([still, final()], PAIR, HORIZONS, now_ns=9)
    assert said.failures == {}
    assert [prediction.degraded for prediction in said.predictions] == ["prices do not move", None]
    assert {(each.direction, each.log_return) for each in said.predictions[0].horizons} == {(Direction.NEUTRAL, 0.0)}


def test_what_the_models_cannot_read_is_answered_alike_with_and_without_a_set() -> None:
    event = warming_up(final(), returns=5)
    assert only(event, PAIR) == only(event, None)


def test_in_sample_up_to_and_with_the_end_of_training() -> None:
    event = final()
    ends = (event.as_of_ns - 1, event.as_of_ns, event.as_of_ns + 1)
    marks = [only(event, a_set([FOREST, LSTM], [0.4, 0.6], train_end_ns=end)).in_sample for end in ends]
    assert marks == [False, True, True]


def test_the_same_event_predicted_again_has_the_same_id_and_content() -> None:
    events = mixed_events(3)
    first = predict(events, PAIR, HORIZONS, now_ns=9).predictions
    again = predict(events[::-1], PAIR, HORIZONS, now_ns=10).predictions[::-1]
    assert [each.id for each in first] == [each.id for each in again]
    assert list(map(content, first)) == list(map(content, again))
    assert len({each.id for each in first}) == len(events)


def test_origin_partial_bar_and_times_are_carried_on() -> None:
    event = structs.replace(final(), origin=Origin.REPEAT, partial=True)
    prediction = only(event)
    assert (prediction.origin, prediction.partial, prediction.bar) == (Origin.REPEAT, True, event.bar)
    assert (prediction.ingested_at_ns, prediction.featured_at_ns, prediction.predicted_at_ns) == (1, 2, 9)
    assert prediction.as_of_ns == event.bar.start_ns + DAY_NS


@given(SEEDS)
def test_every_prediction_survives_the_wire(seed: int) -> None:
    decode = decoder(Prediction)
    for prediction in predict(mixed_events(seed), PAIR, HORIZONS, now_ns=9).predictions:
        assert decode(encode(prediction)) == prediction
