"""What is kept beside the decisions: what waits, how far it is, what was read and said."""

from msgspec import structs

from predictor.training.service.decision_log import DecisionLog
from predictor.training.service.past import Past
from predictor.training.service.waiting import MOST_WAITING, Waiting
from schemas.command_progress import ENDED_TOLD, Progress
from schemas.events import CommandAction, CommandState, ModelAction, RetrainKind
from tests.trainer.test_decide import command
from tests.trainer.tiny_sets import said


def test_the_same_wish_that_has_not_begun_is_merged_and_said() -> None:
    waiting = Waiting()
    assert waiting.offer(command(CommandAction.RETRAIN, id="one")) is None
    assert "merged with one" in str(waiting.offer(command(CommandAction.RETRAIN, id="two", requested_by="drift")))
    change = command(CommandAction.RETRAIN, id="three", kind=RetrainKind.CHANGE)
    assert waiting.offer(change) is None
    other = command(CommandAction.RETRAIN, id="four", kind=RetrainKind.CHANGE, parameters={"forest": {}})
    assert waiting.offer(other) is None
    later = {"searched_through_ns": "9"}
    searched = command(CommandAction.RETRAIN, id="five", kind=RetrainKind.CHANGE, parameters=other.parameters)
    assert waiting.offer(structs.replace(searched, evidence=later)) is None, "it may not be judged on the same dates"
    assert len(waiting) == 4


def test_a_wish_that_comes_while_the_same_one_runs_waits_for_its_turn() -> None:
    waiting = Waiting()
    waiting.offer(command(CommandAction.RETRAIN, id="one"))
    assert waiting.begin_next() is not None
    assert waiting.offer(command(CommandAction.RETRAIN, id="two")) is None
    waiting.begin_again()
    first = waiting.begin_next()
    assert first is not None
    assert first.id == "one"
    assert (waiting.has("one"), waiting.has("two"), waiting.has("three")) == (True, True, False)
    waiting.end()
    assert not waiting.has("one")


def test_the_queue_is_bounded() -> None:
    waiting = Waiting()
    for number in range(MOST_WAITING):
        assert waiting.offer(command(CommandAction.RETRAIN, id=str(number), scope=str(number))) is None
    assert "wait already" in str(waiting.offer(command(CommandAction.RETRAIN, id="one more", scope="other")))


def test_progress_goes_forward_while_a_command_runs_and_ends_whole() -> None:
    progress, asked = Progress(), command(CommandAction.RETRAIN)
    progress.tell(asked, CommandState.QUEUED)
    progress.move(asked.id, 0.5, "too early")
    progress.tell(asked, CommandState.RUNNING)
    progress.move(asked.id, 0.5, "fitting")
    progress.move(asked.id, 0.4, "exporting")
    (told,) = progress.all()
    assert (told.state, told.progress, told.message) == ("running", 0.5, "exporting")
    progress.tell(asked, CommandState.REFUSED, "worse")
    (told,) = progress.all()
    assert (told.state, told.progress, told.message) == ("refused", 1.0, "worse")


def test_of_the_commands_that_ended_the_last_are_told_and_all_that_are_open() -> None:
    progress = Progress()
    progress.tell(command(CommandAction.RETRAIN, id="open"), CommandState.QUEUED)
    for number in range(2 * ENDED_TOLD):
        progress.tell(command(CommandAction.LOAD, id=str(number)), CommandState.DONE)
    told = [each.id for each in progress.all()]
    assert told == ["open", *(str(number) for number in range(ENDED_TOLD, 2 * ENDED_TOLD))]


def test_what_we_said_counts_once_when_it_comes_back() -> None:
    log, event = DecisionLog(), said("set-a", 1, id="a")
    log.said(event)
    assert log.past.serving == "set-a"
    assert log.read(0, event) is False
    assert log.past.decisions == (event,)


def test_what_another_said_is_news_and_has_its_place() -> None:
    log = DecisionLog()
    assert log.read(0, said("set-a", 1, id="a"))
    assert log.read(2, said("set-c", 3, id="c"))
    assert log.read(1, said("set-b", 2, id="b"))
    assert [event.serving for event in log.past.decisions] == ["set-a", "set-b", "set-c"]
    assert not log.read(1, said("set-b", 2, id="b"))


def test_a_decision_made_now_is_later_than_all_whatever_the_clock_says() -> None:
    log = DecisionLog()
    log.read(0, said("set-a", 100, id="a"))
    assert (log.next_time_ns(50), log.next_time_ns(500)) == (101, 500)


def test_what_serves_what_challenges_and_what_one_rolls_back_to_is_kept_first() -> None:
    past = Past(said(f"set-{number}", number, id=str(number)) for number in range(9))
    past = past.with_decision(said("set-8", 20, ModelAction.CHALLENGED, challenger="set-z", id="z"))
    assert past.last_sets(5) == ["set-8", "set-z", "set-7", "set-6", "set-5"]
    assert (past.first_decision_on("set-z"), past.spoke_of("set-3"), past.spoke_of("set-q")) == ("z", True, False)
