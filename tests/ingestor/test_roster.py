"""Which tickers a live source plays: changed by commands, each answered once, the same after any restart."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestor.sources.live.roster import RefusedChangeError, Roster
from ingestor.sources.live.roster_desk import PlacedCommand, RosterDesk
from schemas.events import SourceAction, SourceCommand

_BEGINNING = ("AAPL", "MSFT")
_TICKERS = st.lists(st.sampled_from(["AAPL", "MSFT", "NVDA", "TSLA"]), max_size=3)
_ACTIONS = st.sampled_from(list(SourceAction))


def command(action: str, *tickers: str, id: str = "c") -> SourceCommand:  # noqa: A002 -- the field's name
    return SourceCommand(
        id=id,
        source="live",
        action=SourceAction(action),
        requested_by="cli/ann",
        requested_at_ns=0,
        tickers=list(tickers),
    )


def take(desk: RosterDesk, *commands: SourceCommand) -> None:
    for offset, each in enumerate(commands):
        desk.take(PlacedCommand(offset, 1_000 + offset, each))


def states(desk: RosterDesk) -> dict[str, str]:
    return {answer.id: answer.state for answer in desk.answers}


@given(st.lists(st.tuples(_ACTIONS, _TICKERS), max_size=12))
def test_a_roster_stays_sorted_and_pauses_only_what_it_has_and_a_change_done_twice_is_done_once(
    changes: list[tuple[SourceAction, list[str]]],
) -> None:
    roster = Roster(_BEGINNING)
    for now_ns, (action, tickers) in enumerate(changes):
        try:
            after = roster.after(action, tickers, now_ns)
        except RefusedChangeError:
            continue
        named = set(tickers) or set(roster.tickers)
        assert list(after.tickers) == sorted(set(after.tickers))
        assert set(after.paused_ns) <= set(after.tickers)
        assert set(after.playing) == set(after.tickers) - set(after.paused_ns)
        plays = action in (SourceAction.ADD, SourceAction.RESUME)
        assert (named <= set(after.playing)) if plays else not named & set(after.playing)
        others = set(roster.tickers) - named
        assert {ticker: after.paused_ns.get(ticker) for ticker in others} == {
            ticker: roster.paused_ns.get(ticker) for ticker in others
        }
        if action is not SourceAction.REMOVE:
            assert after.after(action, tickers, now_ns + 1) == after
        roster = after


@pytest.mark.parametrize(
    ("action", "tickers", "word"),
    [
        ("add", [], "name the tickers"),
        ("add", ["a b"], "symbol"),
        ("remove", ["AAPL", "NVDA"], "NVDA is not among its tickers: it has AAPL, MSFT"),
        ("pause", ["NVDA"], "NVDA"),
        ("resume", ["NVDA"], "NVDA"),
    ],
)
def test_what_cannot_be_is_refused_whole_and_says_what_would_be_right(
    action: str, tickers: list[str], word: str
) -> None:
    desk = RosterDesk(_BEGINNING)
    take(desk, command(action, *tickers))
    assert desk.roster == Roster(_BEGINNING)
    [answer] = desk.answers
    assert (answer.state, word in answer.message) == ("refused", True)


def test_what_takes_away_holds_at_once_and_what_brings_waits_for_the_provider() -> None:
    desk = RosterDesk(_BEGINNING)
    take(desk, command("pause", "msft", id="1"), command("add", "NVDA", id="2"))
    assert states(desk) == {"1": "done", "2": "running"}
    assert (desk.roster.playing, desk.held.playing) == (("AAPL", "NVDA"), ("AAPL",))
    desk.sent(["AAPL"])
    assert states(desk)["2"] == "running"
    desk.sent(["AAPL", "NVDA"])
    assert states(desk) == {"1": "done", "2": "done"}
    assert desk.answers[-1].message == "plays AAPL, NVDA; paused: MSFT"


def test_what_the_provider_refuses_is_taken_back_and_the_rest_holds() -> None:
    desk = RosterDesk(_BEGINNING)
    take(desk, command("add", "NVDA", id="1"), command("pause", "MSFT", id="2"), command("pause", "NVDA", id="3"))
    assert states(desk) == {"1": "done", "2": "done", "3": "done"}, "nothing was brought in the end"
    desk.take(PlacedCommand(3, 0, command("resume", id="4")))
    desk.take(PlacedCommand(4, 0, command("remove", "AAPL", id="5")))
    assert desk.refused("the plan allows fewer")
    assert states(desk) == {"1": "done", "2": "done", "3": "done", "4": "refused", "5": "done"}
    assert (desk.roster.tickers, desk.roster.playing) == (("MSFT", "NVDA"), ())
    assert not desk.refused("once more")


@pytest.mark.parametrize("restarted", [False, True])
def test_what_is_refused_before_anything_came_of_it_is_taken_back_though_it_was_done(restarted: bool) -> None:
    """Providers that do not acknowledge say no later."""
    desk = RosterDesk(_BEGINNING)
    log = [command("add", "nvda", id="c0"), command("add", "TSLA", id="c1")]
    take(desk, *log)
    desk.sent(desk.roster.playing)
    desk.heard(["AAPL", "NVDA"])
    if restarted:
        desk = _restarted(desk, log)
    assert desk.refused("too many symbols")
    assert desk.held.tickers == desk.roster.tickers == ("AAPL", "MSFT", "NVDA")
    assert states(desk) == {"c0": "done", "c1": "done" if restarted else "refused"}
    assert not desk.refused("a key that is wrong now is no ticker's fault")
    assert desk.held.tickers == ("AAPL", "MSFT", "NVDA")


def test_an_empty_list_means_all_of_its_tickers() -> None:
    desk = RosterDesk(_BEGINNING)
    take(desk, command("pause", id="1"))
    assert (desk.roster.tickers, desk.roster.playing) == (_BEGINNING, ())
    desk.take(PlacedCommand(1, 0, command("resume", id="2")))
    desk.sent(_BEGINNING)
    desk.take(PlacedCommand(2, 0, command("remove", id="3")))
    assert (desk.held.tickers, states(desk)["3"]) == ((), "done")


@given(st.data())
def test_restarts_and_commands_that_come_again_change_nothing(data: Any) -> None:
    wishes = data.draw(st.lists(st.tuples(_ACTIONS, _TICKERS), max_size=10))
    log = [command(action, *tickers, id=f"c{number}") for number, (action, tickers) in enumerate(wishes)]
    for _ in range(data.draw(st.integers(0, 3)) if log else 0):
        again = data.draw(st.integers(0, len(log) - 1))
        log.insert(data.draw(st.integers(again + 1, len(log))), log[again])
    undisturbed = RosterDesk(_BEGINNING)
    for offset, each in enumerate(dict.fromkeys(each.id for each in log)):
        undisturbed.take(_placed(offset, next(one for one in log if one.id == each)))
        undisturbed.sent(undisturbed.roster.playing)
    desk = RosterDesk(_BEGINNING)
    for end in range(len(log) + 1):
        if end:
            desk.take(_placed(end - 1, log[end - 1]))
        if data.draw(st.booleans(), label="the provider sends them"):
            desk.sent(desk.roster.playing)
        if data.draw(st.booleans(), label="restart"):
            desk = _restarted(desk, log[:end])
    desk.sent(desk.roster.playing)
    assert desk.held == undisturbed.held
    assert states(undisturbed) == states(desk)


def _restarted(desk: RosterDesk, log: list[SourceCommand]) -> RosterDesk:
    again = RosterDesk(_BEGINNING)
    again.restore(desk.status("live", "alpaca"), desk.answers, len(log))
    for offset, each in enumerate(log):
        again.take(_placed(offset, each))
    return again


def _placed(offset: int, asked: SourceCommand) -> PlacedCommand:
    return PlacedCommand(offset, int(asked.id[1:]), asked)  # whenever it comes again, it is the same


def test_other_tickers_in_the_settings_are_a_new_beginning_and_old_commands_stay_answered() -> None:
    desk = RosterDesk(_BEGINNING)
    take(desk, command("remove", "MSFT"))
    again = RosterDesk(("MSFT", "NVDA"))
    again.restore(desk.status("live", "alpaca"), desk.answers, 1)
    take(again, command("remove", "MSFT"))
    assert again.roster.playing == ("MSFT", "NVDA")


def test_a_log_of_commands_that_began_anew_is_read_from_its_beginning() -> None:
    desk = RosterDesk(_BEGINNING)
    take(desk, *(command("pause", "MSFT", id=str(number)) for number in range(5)))
    again = RosterDesk(_BEGINNING)
    again.restore(desk.status("live", "alpaca"), desk.answers, 1)
    take(again, command("remove", "MSFT", id="new"))
    assert again.roster.tickers == ("AAPL",)
