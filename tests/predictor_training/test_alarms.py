"""An alarm gives one command, whoever sees it and however often; a lasting one asks again after its pause."""

from collections.abc import Callable, Iterable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from feature_stream.scores.state import pooled_scoreboard
from predictor.training.alarms import AlarmWatch
from schemas.events import ModelCommand, ModelEvent, Scoreboard
from tests.feature_stream.outcome_logs import outcome
from tests.predictor_training.decisions import DAY_NS, decision, drift_board, drift_boards

PAUSE = 4
CALM, ALARM = False, True


def watch_of(*events: ModelEvent) -> AlarmWatch:
    watch = AlarmWatch(PAUSE, "1d")
    for event in events:
        watch.decided(event)
    return watch


def ids(watch: AlarmWatch, boards: Iterable[Scoreboard]) -> list[str]:
    return [command.id for board in boards if (command := watch.see(board, 7)) is not None]


def test_an_alarm_gives_one_command_that_names_its_beginning_and_carries_the_evidence() -> None:
    watch = watch_of(decision("set-a"))
    commands = [watch.see(each, 7) for each in drift_boards([CALM, ALARM, ALARM])]
    assert [command is None for command in commands] == [True, False, True]
    command = commands[1]
    assert command is not None
    assert (command.id, command.action, command.kind) == ("drift/set-a/1970-01-03T00:00:00Z", "retrain", "refresh")
    assert (command.requested_by, command.requested_at_ns, command.scope) == ("drift", 7, "*")
    assert command.evidence["loss_dates"] == "1"
    assert command.evidence["through_ns"] == str(2 * 86_400 * 10**9)
    assert "loss for 1 dates" in command.reason


def test_boards_of_tickers_of_other_sets_and_without_drift_say_nothing() -> None:
    watch = watch_of(decision("set-a"))
    others = [
        drift_board(1, asked=ALARM, ticker="AAPL"),
        drift_board(1, asked=ALARM, model_set="set-b"),
        drift_board(1, asked=CALM),
    ]
    assert ids(watch, others) == []
    assert ids(watch_of(), [drift_board(1, asked=ALARM)]) == [], "nothing serves yet"
    assert ids(watch_of(decision("set-a"), decision(None)), [drift_board(1, asked=ALARM)]) == []


def test_an_alarm_is_heard_while_a_challenger_has_a_share_and_a_ticker_warms_up() -> None:
    said_by = {"A": "set-1", "B": "set-1", "C": "set-9", "Z": "statistical"}
    board = pooled_scoreboard([outcome(ticker, model_set=name) for ticker, name in said_by.items()], "1d")
    assert board is not None
    alarm = replace(board, drift={"loss": "alarm", "retrain": "asked"})
    assert len(ids(watch_of(decision("set-1")), [alarm])) == 1


def test_a_second_alarm_gives_a_second_command() -> None:
    watch = watch_of(decision("set-a"))
    assert len(ids(watch, drift_boards([CALM, ALARM, CALM, ALARM, ALARM]))) == 2


def test_without_an_answer_nothing_is_asked_again() -> None:
    watch = watch_of(decision("set-a"))
    assert len(ids(watch, drift_boards([ALARM] * 50))) == 1


def test_after_a_refusal_a_lasting_alarm_asks_again_after_the_pause() -> None:
    watch = watch_of(decision("set-a"))
    [first] = ids(watch, drift_boards([ALARM]))
    watch.decided(decision("set-a", command_id=first))
    days = drift_boards([ALARM] * (3 * PAUSE), first_day=2)
    fuller = [each for board in days for each in (board, board)]  # a date's board comes again, fuller
    assert ids(watch, fuller) == [f"drift/set-a/1970-01-0{2 + PAUSE}T00:00:00Z"], "and then it waits for an answer"


def test_a_new_set_does_not_inherit_the_alarm_that_it_was_trained_for() -> None:
    watch = watch_of(decision("set-a"))
    [first] = ids(watch, drift_boards([CALM, ALARM]))
    watch.decided(decision("set-b", command_id=first, train_end_ns=11 * DAY_NS))
    assert ids(watch, drift_boards([ALARM] * 8, first_day=3)) == [], "the old set's last outcomes"
    assert ids(watch, drift_boards([ALARM] * PAUSE, first_day=11, model_set="set-b")) == []
    assert len(ids(watch, drift_boards([ALARM], first_day=15, model_set="set-b"))) == 1, "it lasts"


def test_a_new_set_that_comes_to_calm_and_then_drifts_asks_at_once() -> None:
    watch = watch_of(decision("set-a"))
    [first] = ids(watch, drift_boards([CALM, ALARM]))
    watch.decided(decision("set-b", command_id=first))
    assert len(ids(watch, drift_boards([ALARM, CALM, ALARM], first_day=3, model_set="set-b"))) == 1


UNDER_WAY = "drift/set-a/1970-01-06T00:00:00Z"  # as of day 5, a Tuesday


def test_what_is_under_way_after_a_start_whose_boards_are_gone_is_given_the_rest_of_its_pause() -> None:
    restarted = watch_of(decision("set-a"), decision("set-a", command_id=UNDER_WAY))
    assert ids(restarted, drift_boards([ALARM], first_day=8)) == [], "three of its four dates"
    assert ids(restarted, drift_boards([ALARM] * 3, first_day=9)) == ["drift/set-a/1970-01-10T00:00:00Z"]


def test_of_shorter_bars_nights_and_weekends_are_no_dates_of_the_pause() -> None:
    watch = AlarmWatch(PAUSE, "5m")
    watch.decided(decision("set-a"))
    watch.decided(decision("set-a", command_id=UNDER_WAY))
    assert ids(watch, drift_boards([ALARM] * PAUSE, first_day=20)) == []
    assert len(ids(watch, drift_boards([ALARM], first_day=30))) == 1


def test_starts_do_not_put_the_end_of_a_pause_off() -> None:
    for day in (5, 6, 7, 8):
        restarted = watch_of(decision("set-a"), decision("set-a", command_id=UNDER_WAY))
        assert ids(restarted, drift_boards([ALARM], first_day=day)) == []
    again = watch_of(decision("set-a"), decision("set-a", command_id=UNDER_WAY))
    assert len(ids(again, drift_boards([ALARM], first_day=9))) == 1


def test_an_old_command_does_not_stand_for_an_alarm_that_a_start_finds_long_after() -> None:
    restarted = watch_of(decision("set-a"), decision("set-a", command_id=UNDER_WAY))
    assert len(ids(restarted, drift_boards([ALARM], first_day=400))) == 1
    asked = watch_of(decision("set-a")).see(drift_board(5, asked=ALARM), 7)
    assert asked is not None
    restarted = watch_of(decision("set-a"))
    restarted.asked(asked)
    assert ids(restarted, drift_boards([ALARM], first_day=400)) == [], "it waits for its answer"


def test_what_an_answer_came_too_late_for_is_not_made_up_when_the_boards_are_read_again() -> None:
    days, watch = drift_boards([ALARM] * 9), watch_of(decision("set-a"))
    [first] = ids(watch, days[:8])
    refusal = decision("set-a", command_id=first)
    watch.decided(refusal)
    second = watch.see(days[8], 7)
    assert second is not None
    restarted = watch_of(decision("set-a"), refusal)
    restarted.asked(second)
    assert ids(restarted, days) == [], "the pause was over on an earlier day, but then there was no answer yet"


def test_commands_of_others_and_damaged_names_are_passed_over() -> None:
    watch = watch_of(decision("set-a", command_id="schedule/2026-11-28T06:00:00Z"))
    watch.decided(decision("set-a", command_id="drift/never"))
    assert len(ids(watch, drift_boards([ALARM]))) == 1


Answer = Callable[[ModelCommand], list[ModelEvent]]
refused: Answer = lambda command: [decision("set-a", command_id=command.id)]  # noqa: E731 - a table of two
unanswered: Answer = lambda _command: []  # noqa: E731


def asked_with_starts(boards: list[Scoreboard], starts: list[int], answer: Answer, *, lost: set[int]) -> list[str]:
    """Watch boards, start anew at some, and read then what the topics have: all boards from the first.

    Args:
        lost: The numbers of commands that are made, and not sent before the process dies.
    """
    decisions, sent, number = [decision("set-a")], dict[str, ModelCommand](), 0
    watch = watch_of(*decisions)

    def take(board: Scoreboard) -> bool:
        nonlocal number
        command = watch.see(board, 7)
        if command is None:
            return True
        number += 1
        if number in lost:
            return False
        sent[command.id] = command
        for event in answer(command):
            decisions.append(event)
            watch.decided(event)
        return True

    for place, board in enumerate(boards):
        alive = take(board)
        while not alive or place in starts:
            starts = [each for each in starts if each != place]
            watch = watch_of(*decisions)
            for command in sent.values():
                watch.asked(command)
            alive = all(take(each) for each in boards[: place + 1])
    return sorted(sent)


@given(
    st.lists(st.booleans(), min_size=1, max_size=40),
    st.lists(st.integers(0, 39), max_size=4),
    st.sampled_from([refused, unanswered]),
    st.sets(st.integers(1, 4), max_size=2),
    st.lists(st.integers(0, 39), max_size=5),
)
def test_starts_change_nothing_about_what_is_asked(
    asked: list[bool], starts: list[int], answer: Answer, lost: set[int], repeated: list[int]
) -> None:
    boards = drift_boards(asked)
    for place in sorted({each for each in repeated if each < len(boards)}, reverse=True):
        boards.insert(place, boards[place])
    undisturbed = asked_with_starts(boards, [], answer, lost=set())
    assert asked_with_starts(boards, starts, answer, lost=lost) == undisturbed
    assert len(undisturbed) <= 1 + sum(earlier is False for earlier in asked) + len(asked) // PAUSE


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(0, 59), st.integers(0, 59))
def test_a_start_without_the_older_boards_asks_no_more_than_once_a_pause(
    asked: list[bool], start: int, first: int
) -> None:
    boards, decisions = drift_boards(asked), [decision("set-a")]
    watch, sent = watch_of(*decisions), list[tuple[int, str]]()
    for place, board in enumerate(boards):
        if place == start:
            watch = watch_of(*decisions)
            for earlier in boards[min(first, start) : start]:
                watch.see(earlier, 7)
        command = watch.see(board, 7)
        if command is not None:
            sent.append((place, command.id))
            decisions.append(decision("set-a", command_id=command.id))
            watch.decided(decisions[-1])
    assert len({name for _, name in sent}) == len(sent)
    for (one, _), (next_one, _) in pairwise(sent):
        assert next_one - one >= PAUSE or not all(asked[one:next_one])
