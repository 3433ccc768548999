"""Which decision on models holds."""

from itertools import permutations

from schemas.decisions import REMEMBERED, Decisions
from schemas.events import ModelEvent
from tests.gateway.samples import model_event


def names(decisions: Decisions) -> list[str]:
    return [event.model_set for event in decisions.newest_first()]


def taken(*records: tuple[int, ModelEvent]) -> Decisions:
    decisions = Decisions()
    for partition, event in records:
        decisions.add(partition, event)
    return decisions


def test_there_is_none_before_the_first() -> None:
    assert Decisions().newest() is None


def test_within_a_partition_the_log_decides_even_where_a_clock_went_back() -> None:
    decisions = taken((0, model_event("set-1", 9)), (0, model_event("set-2", 3)))
    assert names(decisions) == ["set-2", "set-1"]


def test_between_partitions_the_time_decides_whichever_was_read_first() -> None:
    records = [(0, model_event("a", 5)), (1, model_event("b", 9)), (2, model_event("c", 5)), (3, model_event("d", 7))]
    for order in permutations(records):
        assert names(taken(*order)) == ["b", "d", "c", "a"]


def test_a_decision_that_its_own_partition_has_replaced_does_not_come_back() -> None:
    decisions = taken((0, model_event("early", 9)), (0, model_event("late", 3)), (1, model_event("other", 5)))
    assert names(decisions) == ["other", "late", "early"]
    newest = decisions.newest()
    assert newest is not None
    assert newest.model_set == "other"


def test_what_is_remembered_is_bounded() -> None:
    decisions = taken(*((0, model_event(f"set-{number}", number)) for number in range(100)))
    assert names(decisions) == [f"set-{number}" for number in range(99, 99 - REMEMBERED, -1)]
