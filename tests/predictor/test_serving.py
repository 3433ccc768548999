"""Which set answers."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
from msgspec import structs

from predictor.announced import load_announced
from predictor.artifacts import ModelSet, UnfitModelSetError
from predictor.fetching import TRY_AGAIN_SECONDS
from predictor.saving import model_event
from predictor.serving import Serving
from predictor.settings import PredictorSettings
from schemas.events import ModelAction, ModelEvent, Origin
from tests.predictor.clocks import Clock
from tests.predictor.feature_events import DAY_NS, MONDAY_NS, final, provisional_after
from tests.predictor.forecasters import Momentum, a_set

MEMBERS = [Momentum("forest", 0.5), Momentum("lstm", -0.2)]


def trained_through(day: int, name: str = "set-a", unloaded: tuple[str, ...] = ()) -> ModelSet:
    """Give a set that has seen the bars before the start of a day (0 is the Monday)."""
    return a_set(MEMBERS, [0.4, 0.6], name=name, train_end_ns=MONDAY_NS + day * DAY_NS, unloaded=unloaded)


def event_of(model_set: ModelSet) -> ModelEvent:
    return model_event(model_set.manifest, model_set.folder, ModelAction.TRAINED, "test", "", 1)


def serving(*sets: ModelSet, clock: Clock | None = None) -> Serving:
    by_name = {each.manifest.model_set: each for each in sets}

    def load(event: ModelEvent) -> ModelSet:
        if event.serving not in by_name:
            raise UnfitModelSetError(f"model set {event.serving}: no manifest")
        return by_name[event.serving]

    return Serving(PredictorSettings(_env_file=None), load, clock or Clock())


def name_of(current: ModelSet | None) -> str | None:
    return None if current is None else current.manifest.model_set


def test_an_announced_set_serves_and_the_next_one_replaces_it() -> None:
    first, second = trained_through(0), trained_through(0, "set-b")
    chooser = serving(first, second)
    assert chooser.current is None
    chooser.announce(event_of(first))
    assert chooser.current is first
    chooser.announce(event_of(second))
    assert chooser.current is second


def test_an_unloaded_state_gives_the_word_to_the_statistical_forecaster() -> None:
    first = trained_through(0)
    chooser = serving(first)
    chooser.announce(event_of(first))
    chooser.announce(structs.replace(event_of(first), serving=None, location=None))
    assert chooser.current is None


def test_a_set_that_cannot_be_loaded_changes_nothing_and_is_said(caplog: pytest.LogCaptureFixture) -> None:
    first = trained_through(0)
    chooser = serving(first)
    chooser.announce(event_of(first))
    chooser.announce(event_of(trained_through(0, "set-gone")))
    assert chooser.current is first
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        "refused: model set set-gone: no manifest; keeping model set set-a"
    ]


def test_a_set_whose_folder_comes_after_its_event_serves_once_it_is_there(caplog: pytest.LogCaptureFixture) -> None:
    late, there = trained_through(0), list[ModelSet]()
    tries = 0

    def load(event: ModelEvent) -> ModelSet:
        nonlocal tries
        tries += 1
        if not there:
            raise UnfitModelSetError(f"model set {event.serving}: no manifest")
        return there[0]

    clock = Clock(100.0)
    chooser = Serving(PredictorSettings(_env_file=None), load, clock)
    chooser.announce(event_of(late))
    assert (chooser.current, chooser.unloadable) == (None, "model set set-a: no manifest")
    clock.now_seconds = 99.9 + TRY_AGAIN_SECONDS
    chooser.try_again()
    assert tries == 1
    clock.now_seconds = 100.0 + TRY_AGAIN_SECONDS
    chooser.try_again()
    assert (tries, chooser.unloadable) == (2, "model set set-a: no manifest")
    there.append(late)
    clock.now_seconds = 100.1 + TRY_AGAIN_SECONDS
    chooser.try_again()
    assert (tries, chooser.current) == (2, None)
    clock.now_seconds = 100.0 + 2 * TRY_AGAIN_SECONDS
    chooser.try_again()
    assert (tries, chooser.current, chooser.unloadable) == (3, late, None)
    clock.now_seconds = 1e9
    chooser.try_again()
    assert tries == 3
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1


def test_the_next_try_is_reckoned_from_the_end_of_the_last_one() -> None:
    clock, tries = Clock(), 0

    def load(event: ModelEvent) -> ModelSet:
        nonlocal tries
        tries += 1
        clock.now_seconds += 2 * TRY_AGAIN_SECONDS
        raise UnfitModelSetError(f"model set {event.serving}: no manifest")

    chooser = Serving(PredictorSettings(_env_file=None), load, clock)
    chooser.announce(event_of(trained_through(0)), [event_of(trained_through(0, "set-b"))])
    chooser.try_again()
    assert tries == 2
    clock.now_seconds += TRY_AGAIN_SECONDS
    chooser.try_again()
    assert tries == 4


@pytest.mark.parametrize("unloads", [False, True], ids=["back to the set that serves", "to none"])
def test_a_later_decision_ends_the_trying(unloads: bool, caplog: pytest.LogCaptureFixture) -> None:
    first, clock = trained_through(0), Clock()
    chooser = serving(first, clock=clock)
    for event in (event_of(first), event_of(trained_through(0, "set-gone"))):
        chooser.announce(event)
    chooser.announce(structs.replace(event_of(first), serving=None) if unloads else event_of(first))
    caplog.clear()
    clock.now_seconds = 1e9
    chooser.try_again()
    assert (chooser.current, chooser.unloadable) == (None if unloads else first, None)
    assert caplog.records == []


def test_after_a_restart_the_set_before_one_that_has_seen_the_future_goes_on_as_without_a_restart() -> None:
    old, ahead = trained_through(0), trained_through(3, "set-b")
    never_stopped, restarted = serving(old, ahead), serving(old, ahead)
    never_stopped.announce(event_of(old))
    never_stopped.observe([final(day=0)], caught_up=True)
    never_stopped.announce(event_of(ahead), [event_of(old)])
    restarted.announce(event_of(ahead), [event_of(old)])
    for day, (current, waiting) in enumerate([(old, ahead), (old, ahead), (ahead, None)]):
        for chooser in (never_stopped, restarted):
            chooser.observe([final(day=day)], caught_up=True)
            assert (chooser.current, chooser.waiting) == (current, waiting)


def test_after_a_restart_the_set_before_one_that_cannot_be_loaded_goes_on() -> None:
    old, gone = trained_through(0), trained_through(0, "set-gone")
    chooser = serving(old)
    chooser.announce(event_of(gone), [event_of(trained_through(0, "set-gone-too")), event_of(old)])
    assert (name_of(chooser.current), chooser.unloadable) == ("set-a", "model set set-gone: no manifest")


def test_what_was_decided_before_an_unloading_does_not_come_back() -> None:
    old, ahead = trained_through(0), trained_through(3, "set-b")
    unloading = structs.replace(event_of(old), serving=None, location=None)
    chooser = serving(old, ahead)
    chooser.announce(event_of(ahead), [unloading, event_of(old)])
    chooser.observe([final(day=0)], caught_up=True)
    assert (chooser.current, chooser.waiting) == (None, ahead)


def test_a_set_of_another_name_or_without_members_is_refused() -> None:
    only_shown = Momentum("naive", 0.0)
    first, empty = trained_through(0), a_set([only_shown], [0.0], name="set-empty", unloaded=["forest"])
    chooser = serving(first, empty)
    chooser.announce(event_of(first))
    chooser.announce(event_of(empty))
    assert chooser.current is first
    other = Serving(PredictorSettings(_env_file=None), lambda event: first)
    other.announce(event_of(trained_through(0, "set-b")))
    assert other.current is None


def test_a_set_is_whole_while_all_that_are_weighed_are_there() -> None:
    assert not a_set([Momentum("lstm", 0.5)], [0.5], unloaded=["forest"]).whole
    weighed, shown = Momentum("lstm", 0.5), Momentum("naive", 0.0)
    without_naive = replace(a_set([weighed, shown], [1.0, 0.0]), refused={"naive": "its file is gone"})
    assert without_naive.whole
    assert not replace(without_naive, refused={"lstm": "its file is gone"}).whole


def test_a_set_that_has_seen_the_bars_to_come_waits_until_they_have_passed(caplog: pytest.LogCaptureFixture) -> None:
    old, new = trained_through(0), trained_through(3, "set-b")
    chooser = serving(old, new)
    chooser.announce(event_of(old))
    chooser.observe([final(day=0)], caught_up=True)
    caplog.clear()
    chooser.announce(event_of(new))
    assert chooser.current is old
    assert [record.getMessage() for record in caplog.records] == [
        "refused for now: model set set-b, trained through 2010-01-07T00:00:00Z: "
        "it was trained on bars that are still to be predicted; keeping model set set-a"
    ]
    chooser.observe([final(day=1)], caught_up=True)
    assert chooser.current is old
    chooser.observe([final(day=2)], caught_up=True)
    assert chooser.current is new


def test_a_set_trained_through_the_newest_closed_bar_serves_at_once() -> None:
    chooser = serving(trained_through(1))
    chooser.observe([final(day=0)], caught_up=True)
    chooser.announce(event_of(trained_through(1)))
    assert chooser.current is not None


def test_a_serving_set_is_withdrawn_when_a_live_bar_turns_out_to_be_one_it_has_seen() -> None:
    ahead = trained_through(500)
    chooser = serving(ahead)
    chooser.announce(event_of(ahead))
    assert chooser.current is ahead
    chooser.observe([final(day=0)], caught_up=True)
    assert chooser.current is None
    assert chooser.waiting is ahead


def test_old_events_replayed_before_the_log_is_caught_up_withdraw_nothing() -> None:
    ahead = trained_through(5)
    chooser = serving(ahead)
    chooser.announce(event_of(ahead))
    chooser.observe([final(day=0)], caught_up=False)
    assert chooser.current is ahead
    chooser.observe([final(day=8)], caught_up=True)
    assert chooser.current is ahead


def test_a_waiting_set_goes_on_waiting_while_another_partition_is_read_up() -> None:
    old, ahead = trained_through(0), trained_through(3, "set-b")
    chooser = serving(old, ahead)
    chooser.announce(event_of(old))
    chooser.observe([final(day=0)], caught_up=True)
    chooser.announce(event_of(ahead))
    chooser.observe([final(day=0, ticker="IBM")], caught_up=False)
    assert (chooser.current, chooser.waiting) == (old, ahead)
    chooser.observe([final(day=1)], caught_up=True)
    assert (chooser.current, chooser.waiting) == (old, ahead)


def test_a_warm_up_withdraws_nothing() -> None:
    ahead = trained_through(5)
    chooser = serving(ahead)
    chooser.announce(event_of(ahead))
    past = [final(day=0), provisional_after(final(day=0), price=9.0), final(day=1)]
    chooser.observe([structs.replace(event, origin=Origin.WARM_UP) for event in past], caught_up=True)
    assert chooser.current is ahead


@pytest.mark.parametrize(
    ("after_its_start_ns", "serves"), [(0, True), (1, False), (DAY_NS, False), (5 * DAY_NS, False)]
)
def test_an_open_live_bar_is_still_to_be_predicted(after_its_start_ns: int, serves: bool) -> None:
    chosen = a_set(MEMBERS, [0.4, 0.6], train_end_ns=MONDAY_NS + DAY_NS + after_its_start_ns)
    chooser = serving(chosen)
    chooser.announce(event_of(chosen))
    chooser.observe([provisional_after(final(day=0), price=9.0)], caught_up=True)  # Tuesday's bar, day 1, is open
    assert (chooser.current is chosen) == serves


def test_after_a_restart_a_provisional_event_finds_the_same_set_as_without_one() -> None:
    old, ahead = trained_through(0), trained_through(3, "set-b")
    restarted = serving(old, ahead)
    restarted.announce(event_of(ahead), [event_of(old)])
    restarted.observe([provisional_after(final(day=0), price=9.0)], caught_up=True)
    assert (restarted.current, restarted.waiting) == (old, ahead)


def test_the_newest_decision_alone_holds() -> None:
    old, ahead = trained_through(0), trained_through(3, "set-b")
    chooser = serving(old, ahead)
    chooser.observe([final(day=0)], caught_up=True)
    chooser.announce(event_of(ahead))
    chooser.announce(event_of(old))
    chooser.observe([final(day=9)], caught_up=True)
    assert name_of(chooser.current) == "set-a"


def test_a_folder_without_a_manifest_is_an_unfit_set(tmp_path: Path) -> None:
    settings = PredictorSettings(models_directory=tmp_path, _env_file=None)
    with pytest.raises(UnfitModelSetError, match="set-a"):
        load_announced(settings)(structs.replace(event_of(trained_through(0)), location="/nowhere"))


@pytest.mark.parametrize(
    "changes",
    [{"location": "/x" * 3_000}, {"location": "/x\0y"}, {"location": None, "serving": "a\0b"}, {"serving": "s" * 300}],
    ids=["long", "NUL", "NUL in the name", "long name"],
)
def test_an_announcement_of_an_impossible_place_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    settings = PredictorSettings(models_directory=tmp_path, _env_file=None)
    chooser = Serving(settings, load_announced(settings))
    chooser.announce(structs.replace(event_of(trained_through(0)), **changes))
    assert "manifest.json cannot be read" in str(chooser.unloadable)


def test_a_place_that_may_not_be_looked_at_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: Any, *_: Any, **__: Any) -> NoReturn:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(
        "os.stat", forbidden
    )  # permissions bind the user root, who runs tests in containers, to nothing
    settings = PredictorSettings(models_directory=tmp_path, _env_file=None)
    chooser = Serving(settings, load_announced(settings))
    chooser.announce(structs.replace(event_of(trained_through(0)), location="/closed/set-a"))
    assert "manifest.json cannot be read" in str(chooser.unloadable)


@pytest.mark.parametrize("change", [{"version": "2"}, {"sha256": "1" * 64}, {"name": "other"}])
def test_a_set_of_the_right_name_with_other_members_than_announced_is_refused(change: dict[str, str]) -> None:
    here = trained_through(0)
    event = event_of(here)
    chooser = serving(here)
    chooser.announce(structs.replace(event, members=[structs.replace(event.members[0], **change), event.members[1]]))
    assert chooser.current is None
    assert "holds other members than announced" in str(chooser.unloadable)
    chooser.announce(event)
    assert chooser.current is here
