"""Killed in the middle of each step, trainer and predictor come back to `models`, artifacts and MLflow that agree.

Both are the real processes, on Kafka, with an artifact store in a folder and MLflow on SQLite; the sets are small.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from schemas.events import CommandAction, ModelAction, ModelRole, RetrainKind
from tests.brokers import BrokerUnderTest
from tests.processes import Processes
from tests.system.kills.agreement import artifact_path, assert_nothing_else_is_stored, plant_halves
from tests.system.kills.deployment import Deployment
from tests.system.kills.trainer import set_of

pytestmark = [pytest.mark.integration, pytest.mark.slow]

RETRAIN, LOAD, UNLOAD, ROLLBACK = (
    CommandAction.RETRAIN,
    CommandAction.LOAD,
    CommandAction.UNLOAD,
    CommandAction.ROLLBACK,
)
CHALLENGER = {"role": ModelRole.CHALLENGER}


@pytest.fixture
def deployment(kafka: BrokerUnderTest, processes: Processes, tmp_path: Path) -> Deployment:
    """Give one in which nothing runs."""
    return Deployment(kafka, processes, tmp_path)


#: Half an artifact, which has no name yet; the test leaves halves that have one beside it.
_HALF_ARTIFACT = "half LocalFileSystem.pipe_file 1"
#: What is asked, and where the trainer is killed while it does it; a second point is in the start after that.
TRAINER_STEPS: tuple[tuple[CommandAction, dict[str, Any], tuple[str, ...]], ...] = (
    # train, and take the answer
    (RETRAIN, {}, ("half saving._write 1",)),
    (RETRAIN, {}, ("before Trainings._training_ended 1",)),
    # store
    (RETRAIN, {}, (_HALF_ARTIFACT,)),
    (RETRAIN, {}, ("after ArtifactStore.put 1", "before ArtifactStore.put 3")),
    # register
    (RETRAIN, {}, ("after MlflowClient.create_run 1",)),
    (RETRAIN, {}, ("after MlflowClient.create_model_version 1",)),
    # announce: the broker does not have it, or has it and we do not know
    (RETRAIN, {}, ("before Sender.announce 1", "before Sender._on_delivery 1")),
    # alias
    (ROLLBACK, {}, ("before Sender._on_delivery 1", "before CarryOut._set_aliases 1")),
    (LOAD, {"model_set": set_of("04"), **CHALLENGER}, ("before CarryOut._set_aliases 1",)),
    (LOAD, {"model_set": set_of("04")}, ("after MlflowClient.set_registered_model_alias 1",)),
    (LOAD, {"model_set": set_of("06"), **CHALLENGER}, ()),
    (UNLOAD, CHALLENGER, ("before MlflowClient.delete_registered_model_alias 1",)),
    # prune: an artifact is gone, a set has lost its name
    (RETRAIN, {}, ("after ArtifactStore.remove 1",)),
    (RETRAIN, {}, ("after PosixPath.rename 1",)),
    # all is done but the webhook
    (RETRAIN, {}, ("before CarryOut.tell 1",)),
    (UNLOAD, {}, ("before Sender._on_delivery 1",)),
    (LOAD, {"model_set": set_of("14")}, ("before Sender.announce 1",)),
)


def test_a_trainer_killed_in_the_middle_of_each_step_comes_back_to_what_models_says(deployment: Deployment) -> None:
    _start(deployment)
    for action, changes, points in TRAINER_STEPS:
        _kill_trainer(deployment, action, changes, points)
    assert ModelAction.REJECTED not in {event.action for event in deployment.decisions()}
    assert_nothing_else_is_stored(deployment.store, deployment.trainer.models)
    deployment.stop()


def _start(deployment: Deployment) -> None:
    deployment.trainer.start()
    deployment.predictor.start()
    deployment.wait_for_first_set()
    deployment.assert_agree()


def _kill_trainer(
    deployment: Deployment, action: CommandAction, changes: dict[str, Any], points: Sequence[str]
) -> None:
    trainer, left = deployment.trainer, list(points)
    trainer.arm(*left[:1])
    command_id = deployment.ask(action, **changes)
    while left:
        trainer.wait_for_kill()
        deployment.assert_newest_is_whole()
        if left.pop(0) == _HALF_ARTIFACT:
            plant_halves(trainer.models / set_of(command_id), deployment.store)
        trainer.arm(*left[:1])
        trainer.start()
    deployment.wait_for_answers()
    deployment.assert_agree()


#: Where the predictor is killed while it goes over to a new set.
PREDICTOR_POINTS = (
    "before Serving.announce 1",
    "after ArtifactStore.get 2",
    "half saving._write 1",
    "after saving._write 2",
    "after stored_sets.save_folder 1",
    "after artifacts._load_member 1",
    "before Serving._swap 1",
    "after Serving._swap 1",
)
#: And where it says so.
SAYING_POINTS = (
    "before Publisher.send 1",
    "after Publisher.send 2",
    "after Publisher.wait 1",
    "after FeatureReader.commit 1",
)


def test_a_predictor_killed_in_the_middle_of_each_step_serves_what_models_says(deployment: Deployment) -> None:
    predictor = deployment.predictor
    _start(deployment)
    for point in PREDICTOR_POINTS:
        predictor.arm(point)
        deployment.ask(RETRAIN)
        _come_back(deployment)
    predictor.arm("half saving._write 1")  # of a challenger, which is fetched beside the loop
    deployment.ask(RETRAIN, kind=RetrainKind.CHANGE)
    _come_back(deployment)
    for point in SAYING_POINTS:
        deployment.ask(RETRAIN)
        deployment.wait_for_answers()
        predictor.arm(point)
        deployment.play_day()
        _come_back(deployment)
    deployment.stop()


def _come_back(deployment: Deployment) -> None:
    deployment.predictor.wait_for_kill()
    deployment.play_day()
    deployment.wait_for_answers()
    deployment.predictor.start()
    deployment.assert_agree()


def test_what_is_half_in_the_store_never_serves_and_does_once_it_is_whole(deployment: Deployment) -> None:
    predictor = deployment.predictor
    _start(deployment)
    predictor.service.kill()
    command_id = deployment.ask(RETRAIN)
    deployment.wait_for_answers()
    newest = deployment.decisions()[-1]
    artifact = artifact_path(deployment.store, newest.members[1].sha256)
    whole = artifact.read_bytes()
    artifact.write_bytes(whole[: len(whole) // 2])
    predictor.start()
    predictor.service.wait_for(lambda: "is damaged" in predictor.service.output(), what="the refusal")
    deployment.wait_until_predictor_serves(set_of(None))
    assert set_of(command_id) not in {each.model_set for each in deployment.predictions()}
    assert not (predictor.models / set_of(command_id)).exists()
    artifact.write_bytes(whole)
    deployment.assert_agree()
