"""Which set is shown beside the one that serves."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from predictor.announced import load_challenger
from predictor.artifacts import ModelSet, UnfitModelSetError
from predictor.background import in_background
from predictor.challenger import Challenger
from predictor.fetching import TRY_AGAIN_SECONDS
from predictor.saving import model_event
from predictor.settings import PredictorSettings
from schemas.broker import wait_until
from schemas.events import ModelAction, ModelEvent
from tests.predictor.feature_events import DAY_NS, MONDAY_NS
from tests.predictor.forecasters import Momentum, a_set
from tests.predictor.saved_sets import save_linear_set

CHAMPION = a_set([Momentum("forest", 0.5)], [1.0])


def a_challenger(name: str = "set-b", day: int = 0) -> ModelSet:
    """Give a set that has seen the bars before the start of a day (0 is the Monday)."""
    return a_set([Momentum("forest", 0.7)], [1.0], name=name, train_end_ns=MONDAY_NS + day * DAY_NS)


def event(challenger: str | None = "set-b", share: float = 0.0, **changes: Any) -> ModelEvent:
    made = model_event(CHAMPION.manifest, CHAMPION.folder, ModelAction.CHALLENGED, "test", "", 1)
    return structs.replace(made, challenger=challenger, challenger_share=share, **changes)


def at_once(load: Callable[[], ModelSet]) -> Future[ModelSet]:
    future: Future[ModelSet] = Future()
    try:
        future.set_result(load())
    except Exception as error:
        future.set_exception(error)
    return future


class Shelf:
    """Sets by name, and what was asked for."""

    def __init__(self, *sets: ModelSet) -> None:
        self.by_name = {each.manifest.model_set: each for each in sets}
        self.asked: list[str | None] = []

    def __call__(self, event: ModelEvent) -> ModelSet:
        self.asked.append(event.challenger)
        if event.challenger not in self.by_name:
            raise UnfitModelSetError(f"model set {event.challenger}: no manifest")
        return self.by_name[event.challenger]


def following(shelf: Callable[[ModelEvent], ModelSet], start: Any = at_once) -> Challenger:
    return Challenger(PredictorSettings(_env_file=None), shelf, start)


def follow(challenger: Challenger, next_bar_ns: int | None = None, now_seconds: float = 0.0) -> ModelSet | None:
    for _ in range(2):  # one turn begins to load, the next one finds it loaded
        challenger.follow(next_bar_ns, now_seconds)
    return challenger.current


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_the_challenger_of_the_newest_decision_is_shown_and_leaves_with_the_next() -> None:
    first, second = a_challenger(), a_challenger("set-c")
    challenger = following(Shelf(first, second))
    assert follow(challenger) is None
    challenger.announce(event(share=0.25))
    assert (follow(challenger), challenger.share) == (first, 0.25)
    challenger.announce(event("set-c"))
    assert challenger.current is None, "the old one is not shown while the new one is loaded"
    assert (follow(challenger), challenger.share) == (second, 0.0)
    challenger.announce(event(None))
    assert (follow(challenger), challenger.problem) == (None, None)


def test_a_decision_that_keeps_the_challenger_loads_nothing_and_may_change_its_share() -> None:
    shelf = Shelf(a_challenger())
    challenger = following(shelf)
    for share in (0.0, 0.5):
        challenger.announce(event(share=share))
        assert challenger.current is (None if share == 0.0 else shelf.by_name["set-b"])
        assert follow(challenger) is shelf.by_name["set-b"]
        assert challenger.share == share
    assert shelf.asked == ["set-b"]


def test_the_set_that_serves_is_no_challenger() -> None:
    shelf = Shelf(CHAMPION)
    challenger = following(shelf)
    challenger.announce(event("set-a"))
    assert follow(challenger) is None
    assert shelf.asked == []


def test_one_that_cannot_be_loaded_is_left_out_said_once_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    shelf = Shelf()
    challenger = following(shelf)
    challenger.announce(event())
    for now_seconds in (100.0, 100.0 + TRY_AGAIN_SECONDS - 0.1, 100.0 + TRY_AGAIN_SECONDS):
        assert follow(challenger, now_seconds=now_seconds) is None
        assert challenger.problem == "model set set-b: no manifest"
    assert len(shelf.asked) == 2
    assert warnings(caplog) == ["the challenger is left out: model set set-b: no manifest"]
    shelf.by_name["set-b"] = a_challenger()
    assert follow(challenger, now_seconds=1e9) is shelf.by_name["set-b"]
    assert challenger.problem is None


def test_an_error_that_nobody_thought_of_is_one_more_reason() -> None:
    def broken(event: ModelEvent) -> ModelSet:
        raise ZeroDivisionError("by zero")

    challenger = following(broken)
    challenger.announce(event())
    assert follow(challenger) is None
    assert challenger.problem == "by zero"


def test_one_that_has_seen_bars_to_come_is_left_out_until_the_stream_has_passed_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ahead = a_challenger(day=3)
    challenger = following(Shelf(ahead))
    challenger.announce(event())
    assert follow(challenger) is ahead, "before the first live event it is trusted"
    for day, shown in ((1, False), (2, False), (3, True), (4, True)):
        assert (follow(challenger, MONDAY_NS + day * DAY_NS) is ahead) == shown
        assert ("still to be predicted" in str(challenger.problem)) == (not shown)
    assert len(warnings(caplog)) == 1


def test_one_that_is_promoted_is_at_hand_whole_and_by_its_name_only() -> None:
    there = a_challenger()
    challenger = following(Shelf(there))
    challenger.announce(event())
    assert challenger.loaded("set-b") is None
    follow(challenger)
    assert challenger.loaded("set-b") is there
    assert challenger.loaded("set-a") is challenger.loaded(None) is None
    partly = a_set([Momentum("forest", 0.7)], [1.0], name="set-b", unloaded=["lstm"])
    challenger = following(lambda _: partly)
    challenger.announce(event())
    assert follow(challenger) is partly
    assert challenger.loaded("set-b") is None


def test_nobody_waits_for_a_set_that_is_long_in_coming() -> None:
    come, there = threading.Event(), a_challenger()

    def load(_: ModelEvent) -> ModelSet:
        assert come.wait(60)
        return there

    challenger = following(load, in_background)
    challenger.announce(event())
    assert follow(challenger) is None, "it returns at once"
    come.set()
    wait_until(lambda: follow(challenger) is there, seconds=60, what="the set")


def test_what_comes_of_an_older_decision_is_not_taken() -> None:
    come, old, new = threading.Event(), a_challenger(), a_challenger("set-c")

    def load(asked: ModelEvent) -> ModelSet:
        if asked.challenger == "set-b":
            assert come.wait(60)
            return old
        return new

    challenger = following(load, in_background)
    challenger.announce(event())
    follow(challenger)
    challenger.announce(event("set-c"))
    come.set()
    wait_until(lambda: follow(challenger) is not None, seconds=60, what="a set")
    assert challenger.current is new


def test_a_challenger_lies_where_its_event_says_or_under_its_name(tmp_path: Path) -> None:
    folder, _ = save_linear_set(tmp_path)
    places = (tmp_path, tmp_path / "elsewhere")
    here, elsewhere = (PredictorSettings(models_directory=place, _env_file=None) for place in places)
    told = event("set-linear", challenger_location=str(folder))
    untold = structs.replace(told, challenger_location=None)
    for settings, asked in ((here, told), (elsewhere, told), (here, untold)):
        assert load_challenger(settings)(asked).manifest.model_set == "set-linear"
    with pytest.raises(UnfitModelSetError):
        load_challenger(elsewhere)(untold)


def test_a_challenger_with_a_damaged_file_is_not_the_set_that_is_to_be_judged(tmp_path: Path) -> None:
    folder, _ = save_linear_set(tmp_path)
    load = load_challenger(PredictorSettings(models_directory=tmp_path, _env_file=None))
    assert load(event("set-linear")).whole
    (folder / "lstm.onnx").write_bytes(b"damaged")
    with pytest.raises(UnfitModelSetError, match=r"challenger set-linear is not whole: .*lstm"):
        load(event("set-linear"))
