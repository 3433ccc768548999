"""What machines wish after a start: what was due while nobody was there, once."""

from predictor.training.service.wishes import MachineWishes
from predictor.training.settings import TrainingSettings
from schemas.events import ModelCommand
from schemas.times import from_rfc3339, interval_ns
from tests.predictor_training.decisions import decision

HOUR_NS = interval_ns("1h")
THURSDAY_NS = from_rfc3339("2026-11-26T12:00:00Z")
#: The schedule was due in between, while the trainer was away.
DUE, SATURDAY_NOON_NS = "schedule/2026-11-28T06:00:00Z", from_rfc3339("2026-11-28T12:00:00Z")


def weekly(began_ns: int = SATURDAY_NOON_NS) -> MachineWishes:
    return MachineWishes(TrainingSettings(_env_file=None, training_schedule="weekly"), began_ns)


def due(wishes: MachineWishes, now_ns: int = SATURDAY_NOON_NS + HOUR_NS) -> list[str]:
    return [command.id for command in wishes.by_clock(now_ns)]


def asked_at(now_ns: int) -> ModelCommand:
    wishes = weekly(THURSDAY_NS)
    assert wishes.by_clock(THURSDAY_NS) == []
    (command,) = wishes.by_clock(now_ns)
    return command


def test_what_was_due_while_the_trainer_was_away_is_asked_for_whatever_it_decides_at_its_start() -> None:
    wishes = weekly()
    wishes.decided(decision("set-a", number=THURSDAY_NS))
    wishes.decided(decision("set-b", number=SATURDAY_NOON_NS + 1, command_id="load"))
    assert due(wishes) == [DUE]
    assert due(wishes) == []


def test_what_was_due_before_the_newest_decision_is_not_made_up_for() -> None:
    wishes = weekly()
    wishes.decided(decision("set-a", number=SATURDAY_NOON_NS - HOUR_NS))
    assert due(wishes) == []


def test_on_a_fresh_system_nothing_is_made_up_for() -> None:
    wishes = weekly()
    wishes.decided(decision("set-a", number=SATURDAY_NOON_NS + 1))
    assert due(wishes) == []


def test_what_was_asked_for_or_answered_is_not_asked_for_again() -> None:
    command = asked_at(SATURDAY_NOON_NS)
    assert command.id == DUE
    in_the_journal, answered = weekly(), weekly()
    for wishes in (in_the_journal, answered):
        wishes.decided(decision("set-a", number=THURSDAY_NS))
    in_the_journal.asked(command)
    answered.decided(decision("set-a", number=SATURDAY_NOON_NS + 1, command_id=DUE))
    assert due(in_the_journal) == due(answered) == []


def test_since_the_newest_time_that_was_asked_for_all_else_that_was_decided_says_nothing() -> None:
    """A start that ended again, before it came to the schedule, had announced a set."""
    wishes = weekly()
    wishes.decided(decision("set-a", number=THURSDAY_NS, command_id="schedule/2026-11-21T06:00:00Z"))
    wishes.decided(decision("set-b", number=SATURDAY_NOON_NS - HOUR_NS))
    assert due(wishes) == [DUE]
    wishes = weekly()
    wishes.decided(decision("set-a", number=SATURDAY_NOON_NS - HOUR_NS, command_id="schedule/never"))
    assert due(wishes) == [], "a damaged name"
