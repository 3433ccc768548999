"""Killed at each step, the trainer comes back to a `models`, a store and a mirror that agree."""

import hashlib
import signal
from pathlib import Path

import pytest

from predictor.artifacts import MANIFEST_FILE
from predictor.training.service.carry_out import STEPS
from schemas.events import CommandAction, ModelAction, ModelEvent
from tests.brokers import BrokerUnderTest
from tests.processes import Processes
from tests.trainer.fakes import World
from tests.trainer.test_decide import command
from tests.trainer.tiny_sets import said, save_tiny_set

#: In the order in which a command passes them.
ALL_STEPS = ("train", "trained", *STEPS)


def decisions(broker: BrokerUnderTest) -> list[ModelEvent]:
    return [record.event() for record in broker.read("models")]


@pytest.mark.slow
def test_killed_at_each_step_models_artifacts_and_mirror_agree_afterwards(
    kafka: BrokerUnderTest, processes: Processes, tmp_path: Path
) -> None:
    world = World(tmp_path)
    save_tiny_set(world.models, "set-0")
    kafka.produce("models", said("set-0", 1, id="before"), key="set-0")
    for step in ALL_STEPS:
        asked = command(CommandAction.RETRAIN, id=f"good-{step}", scope=step)
        kafka.produce("model-commands", asked, key=asked.scope)
        killed = processes.start("tests.trainer.process", str(tmp_path), step, environment=kafka.environment())
        assert killed.wait() == -signal.SIGKILL, killed.output()
    last = processes.start("tests.trainer.process", str(tmp_path), environment=kafka.environment())
    wanted = {f"good-{step}" for step in ALL_STEPS}
    last.wait_for(lambda: {event.command_id for event in decisions(kafka)} >= wanted, what="all answers")
    newest = f"set-good-{ALL_STEPS[-1]}"
    last.wait_for(lambda: world.mirror.read()["aliases"].get("serving") == newest, what="the aliases")
    assert last.stop() == 0
    _agree(decisions(kafka), world)


def _agree(said_on_models: list[ModelEvent], world: World) -> None:
    first, *answers = said_on_models
    assert first.id == "before"
    assert [event.command_id for event in answers] == [f"good-{step}" for step in ALL_STEPS], "each once, in order"
    assert {event.action for event in answers} == {ModelAction.PROMOTED}
    for event in answers:
        assert event.manifest_sha256 is not None
        manifest = world.folder / "store" / event.manifest_sha256 / MANIFEST_FILE
        assert hashlib.sha256(manifest.read_bytes()).hexdigest() == event.manifest_sha256
    mirrored = world.mirror.read()
    assert mirrored["aliases"] == {"serving": answers[-1].serving, "challenger": None}
    versions = [version for version in mirrored["versions"] if version[0] != "before"]
    assert versions == [[event.id, event.serving] for event in answers], "one version a decision"


def test_a_trainer_that_is_killed_while_it_trains_trains_again(
    kafka: BrokerUnderTest, processes: Processes, tmp_path: Path
) -> None:
    world = World(tmp_path)
    save_tiny_set(world.models, "set-0")
    kafka.produce("models", said("set-0", 1), key="set-0")
    kafka.produce("model-commands", command(CommandAction.RETRAIN, id="slow"), key="*")
    first = processes.start("tests.trainer.process", str(tmp_path), environment=kafka.environment())
    first.wait_for(lambda: "training, as cli/alice asked" in first.output(), what="the training")
    first.kill()
    (world.models / "go").touch()
    second = processes.start("tests.trainer.process", str(tmp_path), environment=kafka.environment())
    second.wait_for(lambda: len(decisions(kafka)) == 2, what="the answer")
    assert decisions(kafka)[1].serving == "set-slow"
    assert second.stop() == 0


def test_told_to_stop_in_the_middle_of_a_step_it_ends_in_time_and_goes_on_later(
    kafka: BrokerUnderTest, processes: Processes, tmp_path: Path
) -> None:
    world = World(tmp_path)
    for name in ("set-0", "set-1"):
        save_tiny_set(world.models, name)
    kafka.produce("models", said("set-0", 1), key="set-0")
    kafka.produce("model-commands", command(CommandAction.LOAD, model_set="set-1"), key="*")
    stuck = processes.start("tests.trainer.process", str(tmp_path), "stuck", environment=kafka.environment())
    stuck.wait_for(lambda: "stuck" in stuck.output(), what="the step")
    assert stuck.stop() == 0
    assert len(decisions(kafka)) == 1
    again = processes.start("tests.trainer.process", str(tmp_path), environment=kafka.environment())
    again.wait_for(lambda: decisions(kafka)[-1].serving == "set-1", what="the decision")
    assert again.stop() == 0
