"""What follows from a command, by all that was decided before it."""

import math
from typing import Any

import pytest

from predictor.training.service.decide import Decided, Passed, Plan, ToTrain, decide, wanted_set
from predictor.training.service.next_state import NO_SET, FoundSet, Shape
from predictor.training.service.past import Past
from schemas.events import CommandAction, ModelAction, ModelCommand, ModelEvent, ModelRole, RetrainKind
from tests.trainer.tiny_sets import found, said

SHAPE = Shape("1d", (1, 5, 21))
NOW_NS = 1_000
TWO = Past([said("set-a", 1), said("set-b", 2, ModelAction.PROMOTED)])
SHADOWED = TWO.with_decision(
    said("set-b", 3, ModelAction.CHALLENGED, model_set="set-c", challenger="set-c", challenger_share=0.2)
)


def command(action: CommandAction, **changes: Any) -> ModelCommand:
    values: dict[str, Any] = {"id": "c-1", "action": action, "requested_by": "cli/alice", "requested_at_ns": 500}
    return ModelCommand(**values | changes)


def plan(past: Past, asked: ModelCommand, there: FoundSet | str | None = None) -> Plan:
    """Plan, with the set that is wanted at hand where nothing else is said."""
    name = wanted_set(past, asked)
    there = there if there is not None or name is None else found(name)
    return decide(past, asked, there, SHAPE, NOW_NS)


def event(made: Plan) -> ModelEvent:
    assert isinstance(made, Decided)
    return made.event


def refusal(made: Plan) -> str:
    decided = event(made)
    assert decided.action is ModelAction.REJECTED
    assert isinstance(made, Decided)
    assert made.brings is None
    return decided.reason


def test_a_command_that_was_answered_is_passed_over() -> None:
    past = TWO.with_decision(said("set-b", 3, ModelAction.REJECTED, command_id="c-1"))
    for action in CommandAction:
        assert isinstance(plan(past, command(action, model_set="set-c")), Passed)


def test_a_repeat_after_a_crash_is_the_same_decision_but_for_its_time() -> None:
    first, again = (
        event(decide(TWO, command(CommandAction.LOAD, model_set="set-c"), found("set-c"), SHAPE, now_ns))
        for now_ns in (10, 20)
    )
    assert first.id == again.id == "command/c-1"
    assert (first.command_id, first.serving) == (again.command_id, again.serving) == ("c-1", "set-c")


def test_a_load_serves_from_now_on_as_who_asked_decided() -> None:
    made = plan(SHADOWED, command(CommandAction.LOAD, model_set="set-d", reason="I like it"))
    decided = event(made)
    assert (decided.action, decided.model_set, decided.serving) == (ModelAction.LOADED, "set-d", "set-d")
    assert (decided.decided_by, decided.reason, decided.decided_at_ns) == ("cli/alice", "I like it", NOW_NS)
    assert (decided.challenger, decided.challenger_share) == ("set-c", 0.2), "the challenger stays"
    assert isinstance(made, Decided)
    assert made.brings == found("set-d")


def test_a_challenger_that_is_loaded_to_serve_is_no_challenger_any_more() -> None:
    decided = event(plan(SHADOWED, command(CommandAction.LOAD, model_set="set-c")))
    assert (decided.serving, decided.challenger, decided.challenger_share) == ("set-c", None, 0.0)


def test_a_load_as_challenger_leaves_what_serves() -> None:
    asked = command(CommandAction.LOAD, model_set="set-c", role=ModelRole.CHALLENGER, share=0.25)
    decided = event(plan(TWO, asked))
    assert (decided.action, decided.model_set) == (ModelAction.CHALLENGED, "set-c")
    assert (decided.serving, decided.challenger, decided.challenger_share) == ("set-b", "set-c", 0.25)
    assert decided.members == said("set-b").members


@pytest.mark.parametrize(
    ("changes", "there", "why"),
    [
        ({}, None, "name the set"),
        ({"model_set": "set-b"}, None, "set-b serves already"),
        ({"model_set": "set-x"}, "there is no model set set-x", "there is no model set set-x"),
        ({"model_set": "set-x"}, found("set-x", interval="1h"), "does not fit: its interval is 1h"),
        ({"model_set": "set-x", "role": ModelRole.CHALLENGER}, "it is gone", "it is gone"),
        ({"model_set": "set-x", "role": ModelRole.CHALLENGER, "share": 0.51}, None, "share: 0.51 is not from 0 to 0.5"),
        ({"model_set": "set-x", "role": ModelRole.CHALLENGER, "share": math.nan}, None, "share: nan is not from 0"),
    ],
    ids=str,
)
def test_a_load_that_cannot_be_is_refused_and_changes_nothing(
    changes: dict[str, Any], there: FoundSet | str | None, why: str
) -> None:
    made = plan(TWO, command(CommandAction.LOAD, **changes), there)
    assert why in refusal(made)
    assert (event(made).serving, event(made).members) == ("set-b", said("set-b").members)


def test_a_rollback_brings_the_set_back_that_served_before() -> None:
    made = plan(TWO, command(CommandAction.ROLLBACK))
    decided = event(made)
    assert (decided.action, decided.model_set, decided.serving) == (ModelAction.ROLLED_BACK, "set-b", "set-a")
    assert decided.reason == "rolled back to set-a"


def test_rollbacks_go_further_back_and_never_to_what_was_rolled_back() -> None:
    past = Past([said("set-a", 1), said("set-b", 2), said("set-c", 3)])
    past = past.with_decision(event(plan(past, command(CommandAction.ROLLBACK))))
    assert past.serving == "set-b"
    past = past.with_decision(event(plan(past, command(CommandAction.ROLLBACK, id="c-2"))))
    assert (past.serving, past.rolled_back()) == ("set-a", {"set-b", "set-c"})
    assert "no set served before set-a" in refusal(plan(past, command(CommandAction.ROLLBACK, id="c-3")))


def test_what_a_person_loads_again_is_not_rolled_back_any_more() -> None:
    past = TWO.with_decision(event(plan(TWO, command(CommandAction.ROLLBACK))))
    assert past.rolled_back() == {"set-b"}
    by_machine = command(CommandAction.LOAD, id="c-2", model_set="set-b", requested_by="drift")
    assert "only a person" in refusal(plan(past, by_machine))
    past = past.with_decision(event(plan(past, command(CommandAction.LOAD, id="c-3", model_set="set-b"))))
    assert (past.serving, past.rolled_back()) == ("set-b", set())


def test_a_rollback_names_what_it_means_where_it_says_so() -> None:
    assert "set-a does not serve, set-b does" in refusal(plan(TWO, command(CommandAction.ROLLBACK, model_set="set-a")))
    assert event(plan(TWO, command(CommandAction.ROLLBACK, model_set="set-b"))).serving == "set-a"


def test_a_rollback_does_not_hit_a_set_that_came_after_it_was_asked() -> None:
    past = Past([said("set-a", 1), said("set-b", 600)])  # the trainer announced set-b by itself
    assert "came to serve after this was asked" in refusal(plan(past, command(CommandAction.ROLLBACK)))
    asked = said("set-b", 600, ModelAction.LOADED, command_id="c-0")  # a command that lies before it in the log
    assert event(plan(Past([said("set-a", 1), asked]), command(CommandAction.ROLLBACK))).serving == "set-a"


def test_nothing_serves_after_an_unload_and_nothing_is_shown_beside_it() -> None:
    decided = event(plan(SHADOWED, command(CommandAction.UNLOAD)))
    assert (decided.action, decided.model_set) == (ModelAction.UNLOADED, "set-b")
    assert (decided.serving, decided.location, decided.challenger) == (None, None, None)
    after = SHADOWED.with_decision(decided)
    for action in (CommandAction.UNLOAD, CommandAction.ROLLBACK):
        assert refusal(plan(after, command(action, id="c-2"))) == "no model set serves"


def test_a_challenger_is_unloaded_alone() -> None:
    decided = event(plan(SHADOWED, command(CommandAction.UNLOAD, role=ModelRole.CHALLENGER)))
    assert (decided.model_set, decided.serving, decided.challenger) == ("set-c", "set-b", None)
    other = command(CommandAction.UNLOAD, role=ModelRole.CHALLENGER, model_set="set-x")
    assert "set-x is not the challenger" in refusal(plan(SHADOWED, other))
    assert "no challenger" in refusal(plan(TWO, command(CommandAction.UNLOAD, role=ModelRole.CHALLENGER)))


def test_a_retrain_is_trained_against_what_serves() -> None:
    asked = command(CommandAction.RETRAIN, requested_by="drift")
    assert plan(TWO, asked) == ToTrain(asked, "set-b")
    assert plan(Past(), asked) == ToTrain(asked, None)


def test_machines_do_not_train_where_a_person_wants_nothing_to_serve() -> None:
    past = TWO.with_decision(event(plan(TWO, command(CommandAction.UNLOAD))))
    assert "a person must ask" in refusal(plan(past, command(CommandAction.RETRAIN, id="2", requested_by="schedule")))
    assert isinstance(plan(past, command(CommandAction.RETRAIN, id="3")), ToTrain)


def test_a_change_needs_a_champion_and_known_parameters() -> None:
    asked = command(CommandAction.RETRAIN, kind=RetrainKind.CHANGE, parameters={"forest": {"n_estimators": 50}})
    assert isinstance(plan(TWO, asked), ToTrain)
    assert "none does" in refusal(plan(Past(), asked))
    unknown = command(CommandAction.RETRAIN, kind=RetrainKind.CHANGE, parameters={"forest": {"leaves": 3}})
    assert "parameters: " in refusal(plan(TWO, unknown))


@pytest.mark.parametrize("kind", RetrainKind)
def test_evidence_of_a_search_that_cannot_be_read_is_refused(kind: RetrainKind) -> None:
    asked = command(CommandAction.RETRAIN, kind=kind, evidence={"searched_through_ns": "lately"})
    assert "evidence: " in refusal(plan(TWO, asked))


@pytest.mark.parametrize("parameters", [{"forest": {"n_estimators": 50}}, {"lstm": {"units": 8}}])
def test_a_refresh_with_parameters_is_refused_and_not_read(parameters: dict[str, Any]) -> None:
    assert "ask for a change" in refusal(plan(TWO, command(CommandAction.RETRAIN, parameters=parameters)))


def test_before_any_set_a_refusal_decides_nothing() -> None:
    past = Past([event(plan(Past(), command(CommandAction.ROLLBACK)))])
    assert past.current is not None
    assert (past.current.model_set, past.serving, past.unloaded) == (NO_SET, None, None)
