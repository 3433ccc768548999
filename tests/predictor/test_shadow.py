"""What is shown beside the set that answers, and which of two sets that is."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from predictor.artifacts import ModelSet
from predictor.beside import Beside
from predictor.intervals import NORMAL_95
from predictor.predict import answer
from predictor.question import Question
from predictor.shadow import place_of
from schemas.codec import decoder, encode
from schemas.events import Features, Prediction
from tests.predictor.boards import boards, weights_board, widths_board
from tests.predictor.feature_events import MONDAY_NS, before_any_bar, final, provisional_after, warming_up
from tests.predictor.forecasters import HORIZONS, Momentum, NotFinite, Raising, a_set

CHAMPION = a_set([Momentum("forest", 0.5), Momentum("lstm", 0.2)], [0.4, 0.6])
CHALLENGER = a_set([Momentum("forest", 0.9), Momentum("xgboost", 0.4)], [0.5, 0.5], name="set-b", quantiles=(1.0, 2.0))
TICKERS = [f"T{number}" for number in range(20_000)]
SEEDS = st.integers(0, 10_000)
shares = st.floats(0, 1)


def events_of(seed: int) -> list[Features]:
    closed = final("AAPL", seed=seed)
    moved = provisional_after(closed, price=closed.current_price * 1.01)
    others = [final("IBM", seed=seed), final("MSFT", seed=seed)]
    return [closed, moved, *others, warming_up(final("FB", seed=seed), returns=12), before_any_bar()]


def both(
    events: list[Features],
    share: float = 0.0,
    *,
    champion: ModelSet = CHAMPION,
    challenger: ModelSet | None = CHALLENGER,
    **more: Any,
) -> list[Prediction]:
    question = Question(events, HORIZONS, 9, **more)
    return Beside(1e9).show(question, answer(question, champion), champion, challenger, share)


def alone(events: list[Features], model_set: ModelSet = CHAMPION, **more: Any) -> list[Prediction]:
    return answer(Question(events, HORIZONS, 9, **more), model_set).predictions


def without_shadow(prediction: Prediction) -> Prediction:
    return structs.replace(prediction, id=prediction.id.partition("/shadow/")[0], shadow=None, shadow_model_set=None)


@given(SEEDS)
def test_the_shadow_is_what_the_challenger_would_have_said_and_changes_nothing_of_the_answer(seed: int) -> None:
    events = events_of(seed)
    shown, served, its = both(events), alone(events), alone(events, CHALLENGER)
    assert [without_shadow(each) for each in shown] == served
    for ours, theirs in zip(shown[:4], its[:4], strict=True):
        assert ours.shadow is not None
        ensemble, *members = ours.shadow
        assert (ensemble.name, ensemble.version, ours.shadow_model_set) == ("ensemble", "set-b", "set-b")
        assert members == theirs.models
        for said, expected in zip(ensemble.horizons, theirs.horizons, strict=True):
            assert (said.log_return, said.confidence) == (expected.log_return, expected.confidence)
            assert (said.weight, said.prior_weight) == (1.0, None)
            assert expected.interval_95 is not None
            half_width = math.log(expected.interval_95.high / expected.price_target)
            assert said.spread == pytest.approx(half_width / NORMAL_95, rel=1e-9)
    assert [each.shadow for each in shown[4:]] == [None, None], "what no models can read has no shadow"


def test_the_id_names_the_set_beside_and_stays_as_it_was_without() -> None:
    (plain,), (shown,) = alone([final()]), both([final()])
    assert shown.id == f"{plain.id}/shadow/set-b/prior/forest+xgboost"
    assert both([final()], challenger=None) == [plain]
    assert both([final()], challenger=CHAMPION) == [plain], "the set that serves is not its own challenger"


def test_a_prediction_with_a_shadow_survives_the_wire() -> None:
    for prediction in both(events_of(3)):
        assert decoder(Prediction)(encode(prediction)) == prediction


# Boards


def test_the_challengers_members_keep_their_priors_and_the_other_sets_follow_the_board() -> None:
    event = final("IBM")
    its = boards(weights_board(0, {"forest": 1.0, "lstm": 0.0, "xgboost": 0.0}))
    for share in (0.0, 1.0):
        (prediction,) = both([event], share, boards=its)
        assert prediction.shadow is not None
        sets = {prediction.model_set: prediction.models, prediction.shadow_model_set: prediction.shadow[1:]}
        weights = {name: [model.horizons[0].weight for model in models] for name, models in sets.items()}
        assert weights == {"set-a": [1.0, 0.0], "set-b": [0.5, 0.5]}
        assert prediction.weights_version == ("prior" if share else "weights-0")
        assert prediction.id.endswith("/shadow/set-a/weights-0/forest+lstm" if share else "/set-b/prior/forest+xgboost")


@given(SEEDS)
def test_what_a_set_says_does_not_depend_on_whether_it_is_served(seed: int) -> None:
    event = final("IBM", seed=seed)
    its = boards(weights_board(0, {"forest": 0.9, "lstm": 0.1}), widths_board("IBM", 0, (1.5, 1.2)))
    (ours,), (theirs,) = (both([event], share, boards=its) for share in (0.0, 1.0))
    for served, other in ((ours, theirs), (theirs, ours)):
        assert other.shadow is not None
        assert other.shadow[1:] == served.models
        for said, shown in zip(served.horizons, other.shadow[0].horizons, strict=True):
            assert (said.log_return, said.confidence) == (shown.log_return, shown.confidence)
    assert (ours.intervals_version, theirs.intervals_version) == ("IBM-0", "IBM-0")


# The share


def test_a_tickers_place_is_the_same_in_every_process_and_year() -> None:
    assert place_of("AAPL", "set-b") == int.from_bytes(bytes.fromhex("0f7860b3974d740d")) / 2**64


@given(st.floats(0.02, 0.98))
def test_about_the_share_of_the_tickers_is_taken(share: float) -> None:
    taken = sum(place_of(ticker, "set-b") < share for ticker in TICKERS) / len(TICKERS)
    assert taken == pytest.approx(share, abs=5 * math.sqrt(share * (1 - share) / len(TICKERS)) + 1e-9)


@given(shares, shares)
def test_a_larger_share_takes_the_same_tickers_and_more(one: float, other: float) -> None:
    small, large = sorted((one, other))
    taken = [{ticker for ticker in TICKERS[:500] if place_of(ticker, "set-b") < share} for share in (small, large)]
    assert taken[0] <= taken[1]


def test_no_share_takes_none_and_the_whole_takes_all_and_another_challenger_takes_others() -> None:
    places = [place_of(ticker, "set-b") for ticker in TICKERS]
    assert min(places) >= 0
    assert max(places) < 1
    halves = [{ticker for ticker in TICKERS if place_of(ticker, name) < 0.5} for name in ("set-b", "set-c")]
    assert len(halves[0] & halves[1]) == pytest.approx(len(TICKERS) / 4, rel=0.1)


@given(SEEDS, shares)
def test_a_share_swaps_the_two_where_it_reaches_and_changes_nothing_elsewhere(seed: int, share: float) -> None:
    events = events_of(seed)
    none, some, all_of_them = both(events), both(events, share), both(events, 1.0)
    for event, plain, found, swapped in zip(events, none, some, all_of_them, strict=True):
        assert found == (swapped if place_of(event.ticker, "set-b") < share else plain)
    for plain, swapped in zip(none[:4], all_of_them[:4], strict=True):
        assert (plain.model_set, plain.shadow_model_set) == (swapped.shadow_model_set, swapped.model_set)
    assert none[4:] == all_of_them[4:]


# In the sample, and failures


@pytest.mark.parametrize(("ends", "shown"), [(-1, True), (0, False), (1, False)])
def test_a_shadow_in_the_sample_is_no_evidence_and_is_left_out(ends: int, shown: bool) -> None:
    event = final()
    trained = a_set([Momentum("forest", 0.9)], [1.0], name="set-b", train_end_ns=event.as_of_ns + ends)
    (prediction,) = both([event], challenger=trained)
    assert (prediction.shadow is not None, prediction.in_sample) == (shown, False)
    if not shown:
        assert [prediction] == alone([event])


def test_what_the_challenger_was_trained_on_it_does_not_answer_on_its_share_for_that_would_never_be_scored() -> None:
    event = final()
    trained = a_set([Momentum("forest", 0.9)], [1.0], name="set-b", train_end_ns=event.as_of_ns)
    assert both([event], 1.0, challenger=trained) == alone([event])


def test_whether_a_prediction_is_in_the_sample_is_judged_by_the_set_that_answers() -> None:
    event = final()
    trained = a_set([Momentum("forest", 0.9)], [1.0], train_end_ns=event.as_of_ns)
    for share, expected in ((0.0, ("set-a", True, "set-b")), (1.0, ("set-b", False, None))):
        (prediction,) = both([event], share, champion=trained)
        assert (prediction.model_set, prediction.in_sample, prediction.shadow_model_set) == expected


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_challenger_without_a_weighed_member_is_not_the_set_and_is_neither_shown_nor_served(share: float) -> None:
    broken = a_set([Momentum("forest", 0.9), Raising("xgboost", 1.0)], [0.5, 0.5], name="set-b")
    lacking = a_set([Momentum("forest", 0.9)], [0.5], name="set-b", unloaded=["xgboost"])
    for challenger in (broken, lacking):
        assert both([final()], share, challenger=challenger) == alone([final()])


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_only_those_events_are_dropped_that_a_weighed_member_has_not_answered(share: float) -> None:
    events = [final(seed=seed) for seed in range(8)]
    partly = a_set([Momentum("forest", 0.9), NotFinite("xgboost", 0.4)], [0.5, 0.5], name="set-b")
    found = both(events, share, challenger=partly)
    for event, prediction, plain in zip(events, found, alone(events), strict=True):
        assert (prediction == plain) == (event.model_inputs[0] < 0)
    assert len({prediction.shadow_model_set for prediction in found}) == 2


def test_a_challengers_member_without_weight_that_fails_is_missing_from_the_shadow_alone() -> None:
    broken = a_set([Momentum("forest", 0.9), Raising("xgboost", 1.0)], [1.0, 0.0], name="set-b")
    (prediction,) = both([final()], challenger=broken)
    assert prediction.degraded is None
    assert [model.name for model in prediction.shadow or ()] == ["ensemble", "forest"]
    assert prediction.id.endswith("/shadow/set-b/prior/forest")
    (served,) = both([final()], 1.0, challenger=broken)
    assert (served.model_set, served.degraded) == ("set-b", None)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_where_no_member_of_the_challenger_answers_the_other_set_does_and_nothing_is_beside_it(share: float) -> None:
    events = [final(seed=seed) for seed in range(8)]
    partly = a_set([NotFinite("forest", 0.9)], [1.0], name="set-b")
    wholly = a_set([Raising("forest", 0.9)], [1.0], name="set-b")
    assert both(events, share, challenger=wholly) == alone(events)
    for event, prediction, plain in zip(events, both(events, share, challenger=partly), alone(events), strict=True):
        if event.model_inputs[0] < 0:
            assert prediction == plain
        else:
            assert prediction.shadow_model_set == ("set-a" if share else "set-b")


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_where_no_member_of_the_serving_set_answers_nothing_is_beside(share: float) -> None:
    broken = a_set([Raising("forest", 1.0)], [1.0])
    assert both([final()], share, champion=broken) == alone([final()], broken)


@given(SEEDS, st.permutations(range(6)))
def test_one_id_has_one_content_in_whatever_company(seed: int, order: list[int]) -> None:
    events = events_of(seed)
    its = boards(weights_board(MONDAY_NS, {"forest": 0.3, "lstm": 0.7}))
    partly = a_set([NotFinite("forest", 0.9), Momentum("xgboost", 0.4)], [0.5, 0.5], name="set-b")
    known: dict[str, Prediction] = {}
    for challenger in (None, CHALLENGER):
        for share in (0.0, 0.5, 1.0):
            for known_boards in (None, its):
                batch = [events[place] for place in order]
                for prediction in both(batch, share, challenger=challenger, boards=known_boards):
                    assert known.setdefault(prediction.id, prediction) == prediction
    for event in events:
        ((one,), (again,)) = (both([event], challenger=partly), both([event], challenger=partly))
        assert one == again
