"""The trainer on a broker: what is asked, what is answered, what is told meanwhile."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from predictor.training.service import judging
from schemas.broker import wait_until
from schemas.events import CommandAction, ModelAction, ModelRole, RetrainKind, ServiceState
from tests.brokers import BrokerUnderTest
from tests.predictor.boards import board
from tests.predictor.saved_sets import save_linear_set
from tests.trainer.running import WAIT_SECONDS, RunningTrainer, running
from tests.trainer.test_decide import command
from tests.trainer.tiny_sets import said, save_tiny_set


@pytest.fixture
def ready(kafka: BrokerUnderTest, tmp_path: Path) -> RunningTrainer:
    """Give a trainer that does not run yet, with a set that serves and one that lies there."""
    trainer = RunningTrainer(kafka, tmp_path)
    for name in ("set-0", "set-1"):
        save_tiny_set(trainer.world.models, name)
    kafka.produce("models", said("set-0", 1, id="before"), key="set-0")
    return trainer


@pytest.fixture
def trainer(ready: RunningTrainer) -> Iterator[RunningTrainer]:
    """Give it while it runs."""
    with running(ready):
        yield ready


def test_what_people_ask_is_decided_at_once_and_the_mirror_follows(trainer: RunningTrainer) -> None:
    loaded = trainer.ask(command(CommandAction.LOAD, id="load", model_set="set-1"))
    assert (loaded.action, loaded.serving, loaded.decided_by) == (ModelAction.LOADED, "set-1", "cli/alice")
    assert loaded.manifest_sha256 is not None
    shutil.rmtree(trainer.world.models / "set-0")  # and whoever announced it put it into no store
    back = trainer.ask(command(CommandAction.ROLLBACK, id="back"))
    assert (back.action, back.serving, back.reason) == (ModelAction.REJECTED, "set-1", "there is no model set set-0")
    shown = trainer.ask(command(CommandAction.LOAD, id="again", model_set="set-1", role=ModelRole.CHALLENGER))
    assert (shown.action, shown.reason) == (ModelAction.REJECTED, "set-1 serves already")
    gone = trainer.ask(command(CommandAction.UNLOAD, id="gone"))
    assert (gone.action, gone.serving) == (ModelAction.UNLOADED, None)
    fetched = trainer.ask(command(CommandAction.LOAD, id="fetch", model_set="set-1"))
    assert fetched.serving == "set-1"
    wait_until(
        lambda: trainer.world.mirror.read()["aliases"] == {"serving": "set-1", "challenger": None},
        seconds=WAIT_SECONDS,
        what="the aliases",
    )
    versions = trainer.world.mirror.read()["versions"]
    assert versions == [["before", "set-0"], ["command/load", "set-1"]], "a set has one version"
    done, refused = trainer.progress("load"), trainer.progress("back")
    assert done is not None
    assert refused is not None
    assert (done.state, refused.state) == ("done", "refused")


def test_a_set_that_is_not_on_disk_any_more_is_fetched_from_the_store(trainer: RunningTrainer) -> None:
    trainer.ask(command(CommandAction.LOAD, id="load", model_set="set-1"))
    trainer.ask(command(CommandAction.RETRAIN, id="good"))
    shutil.rmtree(trainer.world.models / "set-1")
    back = trainer.ask(command(CommandAction.ROLLBACK, id="back"))
    assert (back.action, back.model_set, back.serving) == (ModelAction.ROLLED_BACK, "set-good", "set-1")
    assert (trainer.world.models / "set-1").is_dir()


def test_it_answers_while_it_trains_and_trains_one_after_another(trainer: RunningTrainer) -> None:
    trainer.send(command(CommandAction.RETRAIN, id="slow"))
    told = trainer.wait_for_state("slow", "running")
    wait_until(lambda: (trainer.progress("slow") or told).progress == 0.5, seconds=WAIT_SECONDS, what="half of it")
    assert "half of it" in trainer.board.event().message
    trainer.send(command(CommandAction.RETRAIN, id="bad", scope="other"))
    trainer.wait_for_state("bad", "queued")
    merged = trainer.ask(command(CommandAction.RETRAIN, id="bad-too", scope="other"))
    assert merged.reason == "merged with bad, which asks for the same and has not begun"
    shown = command(CommandAction.LOAD, id="load", model_set="set-1", role=ModelRole.CHALLENGER, share=0.5)
    assert trainer.ask(shown).challenger == "set-1"
    (trainer.world.models / "go").touch()
    promoted, refused = trainer.answer("slow"), trainer.answer("bad")
    assert (promoted.action, promoted.serving, promoted.challenger) == (ModelAction.PROMOTED, "set-slow", "set-1")
    assert (promoted.numbers, promoted.challenger_share) == ({"error_ratio": 0.9}, 0.5)
    assert (refused.action, refused.serving, refused.reason) == (ModelAction.REJECTED, "set-slow", "worse")


def test_a_training_that_fails_is_answered_and_ends_nothing_else(trainer: RunningTrainer) -> None:
    failed = trainer.ask(command(CommandAction.RETRAIN, id="broken"))
    assert failed.reason == "the training failed: the prices cannot be read"
    assert trainer.wait_for_state("broken", "failed").progress == 1.0
    assert trainer.ask(command(CommandAction.RETRAIN, id="good")).serving == "set-good"
    assert trainer.registry.get_sample_value("tickcast_trainings_total", {"end": "failed"}) == 1


def test_a_training_whose_broker_is_away_for_a_moment_is_tried_again(trainer: RunningTrainer) -> None:
    answered = trainer.ask(command(CommandAction.RETRAIN, id="away"))
    assert (answered.action, answered.serving) == (ModelAction.PROMOTED, "set-away")


def test_what_was_rolled_back_while_it_was_trained_on_is_trained_again(trainer: RunningTrainer) -> None:
    trainer.ask(command(CommandAction.LOAD, id="load", model_set="set-1"))
    trainer.send(command(CommandAction.RETRAIN, id="slow"))
    trainer.wait_for_state("slow", "running")
    assert trainer.ask(command(CommandAction.UNLOAD, id="gone", model_set="set-1")).serving is None
    (trainer.world.models / "go").touch()
    answered = trainer.answer("slow")
    assert (answered.action, answered.serving) == (ModelAction.TRAINED, "set-slow"), "against nothing, the second time"


def test_a_change_is_shown_first_and_then_judged_by_its_shadow(
    trainer: RunningTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "JUDGE_EVERY_SECONDS", 0.0)
    asked = command(CommandAction.RETRAIN, id="good", kind=RetrainKind.CHANGE)
    shown = trainer.ask(asked)
    assert (shown.action, shown.serving, shown.challenger) == (ModelAction.CHALLENGED, "set-0", "set-good")
    trainer.broker.produce("scores", board("*", 1), key="*")
    wait_until(lambda: trainer.decisions()[-1].serving == "set-good", seconds=WAIT_SECONDS, what="the promotion")
    promoted = trainer.decisions()[-1]
    assert (promoted.action, promoted.challenger) == (ModelAction.PROMOTED, None)


def test_an_alarm_becomes_a_command_in_the_journal_and_is_answered(trainer: RunningTrainer) -> None:
    wish = command(CommandAction.RETRAIN, id="good", requested_by="drift")
    trainer.world.wishes.after_a_board.append(wish)
    trainer.broker.produce("scores", board("AAPL", 1), key="AAPL")
    trainer.broker.produce("scores", board("*", 1), key="*")
    assert trainer.answer("good").action is ModelAction.PROMOTED
    assert [record.event().id for record in trainer.broker.read("model-commands")] == ["good"]
    wait_until(lambda: len(trainer.world.told) == 2, seconds=WAIT_SECONDS, what="the webhook")


def test_after_a_restart_answered_commands_are_passed_over(ready: RunningTrainer, tmp_path: Path) -> None:
    ready.send(command(CommandAction.RETRAIN, id="bad"))
    ready.send(command(CommandAction.LOAD, id="load", model_set="set-1"))
    with running(ready):
        ready.answer("bad")
        ready.answer("load")
    before = ready.decisions()
    ready.world.mirror.set_aliases("set-x", "set-y")
    with running(RunningTrainer(ready.broker, tmp_path)) as again:
        again.ask(command(CommandAction.LOAD, id="unknown", model_set="set-q"))
        assert again.decisions()[:-1] == before
        assert again.world.mirror.read()["aliases"] == {"serving": "set-1", "challenger": None}


def test_decisions_of_others_are_followed(trainer: RunningTrainer) -> None:
    trainer.ask(command(CommandAction.LOAD, id="load", model_set="set-1"))
    by_hand = structs.replace(said("set-0", 2**62), id="by hand")
    trainer.broker.produce("models", by_hand, key="set-0")
    wait_until(
        lambda: trainer.world.mirror.read()["aliases"]["serving"] == "set-0", seconds=WAIT_SECONDS, what="the aliases"
    )
    assert trainer.ask(command(CommandAction.ROLLBACK, id="back", model_set="set-0")).serving == "set-1"


def test_a_store_that_is_away_ends_it_before_anything_is_decided(ready: RunningTrainer) -> None:
    ready.world.store.away = True
    ready.send(command(CommandAction.LOAD, id="load", model_set="set-1"))
    ready.start()
    wait_until(lambda: ready.error is not None, seconds=WAIT_SECONDS, what="its end")
    assert "the store is away" in str(ready.error)
    ready.error = None
    ready.stop()
    assert [event.id for event in ready.decisions()] == ["before"]


def test_the_set_on_disk_is_announced_first(broker: BrokerUnderTest, tmp_path: Path) -> None:
    trainer = RunningTrainer(broker, tmp_path)
    save_linear_set(trainer.world.models)
    with running(trainer):
        wait_until(lambda: bool(trainer.decisions()), seconds=WAIT_SECONDS, what="the decision")
        (event,) = trainer.decisions()
        assert (event.action, event.serving, event.command_id) == (ModelAction.ANNOUNCED, "set-linear", None)
        assert event.manifest_sha256 is not None
        wait_until(lambda: trainer.board.state is ServiceState.READY, seconds=WAIT_SECONDS, what="ready")


def test_where_there_is_no_set_the_first_one_is_trained_and_commands_are_answered_meanwhile(
    broker: BrokerUnderTest, tmp_path: Path
) -> None:
    with running(RunningTrainer(broker, tmp_path)) as trainer:
        refused = trainer.ask(command(CommandAction.LOAD, id="load", model_set="set-x"))
        assert refused.action is ModelAction.REJECTED
        wait_until(lambda: trainer.serving() == ["set-good-first"], seconds=WAIT_SECONDS, what="the first set")
        assert {event.action for event in trainer.decisions()} == {ModelAction.REJECTED, ModelAction.TRAINED}


def test_simulated_prices_teach_nothing(kafka: BrokerUnderTest, tmp_path: Path) -> None:
    with running(RunningTrainer(kafka, tmp_path, source="simulated")) as trainer:
        assert trainer.ask(command(CommandAction.ROLLBACK, id="back")).reason == "no model set serves"
        assert len(trainer.decisions()) == 1
