"""What follows from the end of a training, and from a challenger's evidence."""

from typing import Any

from predictor.training.service.decide import Decided, Passed, Plan, ToTrain
from predictor.training.service.next_state import FoundSet
from predictor.training.service.past import Past
from predictor.training.service.verdict import Attempted, after_shadow, after_training, to_be_judged, unasked
from schemas.decisions import state_after
from schemas.events import CommandAction, CommandState, ModelAction, ModelCommand, ModelEvent, RetrainKind
from tests.trainer.test_decide import NOW_NS, SHAPE, TWO, command, event, plan, refusal
from tests.trainer.tiny_sets import found, said

REFRESH = command(CommandAction.RETRAIN, requested_by="drift")
CHANGE = command(CommandAction.RETRAIN, kind=RetrainKind.CHANGE)


def attempted(**changes: Any) -> Attempted:
    values: dict[str, Any] = {"champion": "set-b", "promote": True, "reason": "not worse", "model_set": "set-n"}
    return Attempted(**values | {"numbers": {"error_ratio": 0.98}} | changes)


def after(
    past: Past = TWO,
    asked: ModelCommand = REFRESH,
    there: FoundSet | str | None = None,
    **changes: Any,
) -> Plan:
    ended = attempted(**changes)
    if there is None and ended.model_set is not None:
        there = found(ended.model_set)
    return after_training(past, asked, ended, there, SHAPE, NOW_NS)


def challenged() -> Past:
    return TWO.with_decision(event(after(asked=CHANGE)))


def judged(past: Past, **changes: Any) -> Plan:
    return after_shadow(past, attempted(**changes), found("set-n"), NOW_NS)


def test_a_refresh_that_is_not_worse_is_promoted_with_its_numbers() -> None:
    made = after()
    decided = event(made)
    assert (decided.action, decided.serving, decided.command_id) == (ModelAction.PROMOTED, "set-n", REFRESH.id)
    assert (decided.decided_by, decided.reason, decided.numbers) == ("trainer", "not worse", {"error_ratio": 0.98})
    assert isinstance(made, Decided)
    assert made.brings == found("set-n")


def test_no_difference_is_an_answer() -> None:
    made = after(promote=False, reason="no difference", model_set=None)
    assert refusal(made) == "no difference"
    assert (event(made).serving, event(made).model_set) == ("set-b", "set-b")
    assert event(made).numbers == {"error_ratio": 0.98}


def test_a_good_change_is_a_challenger_first() -> None:
    decided = event(after(asked=CHANGE))
    assert (decided.action, decided.serving, decided.challenger) == (ModelAction.CHALLENGED, "set-b", "set-n")
    assert decided.challenger_share == 0.0


def test_a_training_that_failed_is_an_answer_too() -> None:
    made = after(promote=False, failed=True, reason="the training failed: no prices")
    assert refusal(made) == "the training failed: no prices"
    assert state_after(event(made)) is CommandState.FAILED
    assert state_after(event(after(promote=False))) is CommandState.REFUSED
    assert state_after(event(after())) is CommandState.DONE


def test_what_was_rolled_back_is_not_promoted_again_by_machine() -> None:
    past = Past([said("set-a", 1), said("set-n", 2)])
    past = past.with_decision(event(plan(past, command(CommandAction.ROLLBACK, id="c-0"))))
    made = after(past, champion="set-a")
    assert "set-n was rolled back" in refusal(made)
    assert (event(made).model_set, event(made).serving) == ("set-n", "set-a")


def test_a_training_that_comes_to_what_serves_promotes_nothing() -> None:
    assert "nothing new to learn" in refusal(after(model_set="set-b"))


def test_a_set_that_was_not_saved_whole_is_not_promoted() -> None:
    assert "differs" in refusal(after(there="its SHA-256 differs"))


def test_when_the_champion_was_replaced_meanwhile_it_is_trained_again() -> None:
    assert after(TWO.with_decision(said("set-x", 3))) == ToTrain(REFRESH, "set-x")


def test_where_a_person_unloaded_meanwhile_a_training_for_a_machine_serves_nothing() -> None:
    gone = command(CommandAction.UNLOAD, id="c-0")
    unloaded = TWO.with_decision(event(plan(TWO, gone)))
    made = after(unloaded, champion=None)
    assert refusal(made) == "cli/alice decided that no model set serves: a person must ask"
    assert (event(made).serving, event(made).numbers) == (None, {"error_ratio": 0.98})
    persons = command(CommandAction.RETRAIN, requested_by="cli/bob")
    assert event(after(unloaded, persons, champion=None)).serving == "set-n"


def test_an_answered_command_is_not_answered_again() -> None:
    past = TWO.with_decision(event(after()))
    assert isinstance(after(past, champion="set-n"), Passed)


def test_without_a_champion_what_was_trained_serves() -> None:
    decided = event(after(Past(), champion=None))
    assert (decided.action, decided.serving) == (ModelAction.TRAINED, "set-n")


def test_the_first_set_gives_way_to_one_that_was_chosen_meanwhile() -> None:
    def first(past: Past, instead_of: str | None) -> Plan:
        return unasked(past, found("set-n"), instead_of, ModelAction.TRAINED, "first", NOW_NS)

    assert event(first(Past(), None)).serving == "set-n"
    assert event(first(Past(), None)).id == event(first(Past(), None)).id
    assert isinstance(first(TWO, None), Passed)
    assert event(first(TWO, "set-b")).serving == "set-n", "what served is lost"


def test_a_challenger_that_is_better_in_its_shadow_serves() -> None:
    past = challenged()
    decided = event(judged(past, reason="better"))
    assert (decided.action, decided.serving, decided.challenger) == (ModelAction.PROMOTED, "set-n", None)
    assert decided.id == f"command/{CHANGE.id}/shadow"
    assert decided.command_id is None, "the command was answered when it became a challenger"


def test_a_challenger_that_is_not_better_is_none_any_more() -> None:
    made = judged(challenged(), promote=False, reason="no difference")
    assert refusal(made) == "no difference"
    assert (event(made).model_set, event(made).serving, event(made).challenger) == ("set-n", "set-b", None)


def test_without_enough_evidence_nothing_is_said() -> None:
    assert isinstance(judged(challenged(), promote=None), Passed)


def test_evidence_against_a_set_that_does_not_serve_any_more_counts_for_nothing() -> None:
    decided: ModelEvent = event(plan(challenged(), command(CommandAction.LOAD, id="c-9", model_set="set-z")))
    past = challenged().with_decision(decided)
    assert past.challenger == "set-n"
    assert isinstance(judged(past), Passed)


def test_a_persons_own_challenger_is_theirs_to_judge() -> None:
    assert to_be_judged(challenged()) is not None
    own = said("set-b", 3, ModelAction.CHALLENGED, challenger="set-n", decided_by="cli/alice")
    past = TWO.with_decision(own)
    assert to_be_judged(past) is None
    assert isinstance(judged(past), Passed)
