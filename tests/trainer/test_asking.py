"""Who asks the trainer: only where one runs, and until the answer."""

import time
from pathlib import Path

import pytest
from msgspec import structs

from predictor.commanding.asking import ask, retrain_command
from predictor.parameters import ForestParameters, Parameters
from predictor.training import tasks
from predictor.training.parameter_file import ParameterFile, parameters_of, searched_through_ns
from predictor.training.service.presence import FRESH_SECONDS, trainer_runs
from predictor.training.settings import TrainingSettings
from schemas.asking import NotDoneError
from schemas.errors import StopAndSayError
from schemas.events import CommandAction, RetrainKind, ServiceState, ServiceStatus
from schemas.times import NS_PER_SECOND
from tests.brokers import BrokerUnderTest
from tests.processes import free_port
from tests.trainer.running import RunningTrainer, running
from tests.trainer.test_decide import command
from tests.trainer.tiny_sets import said, save_tiny_set


def report(
    broker: BrokerUnderTest, *, service: str = "trainer", age_seconds: float = 0.0, state: str = "ready"
) -> None:
    at_ns = time.time_ns() - int(age_seconds * NS_PER_SECOND)
    status = ServiceStatus(
        service=service,
        instance="one",
        version="1",
        state=ServiceState(state),
        started_at_ns=at_ns,
        updated_at_ns=at_ns,
        memory_bytes=0,
    )
    broker.produce("service-status", status, key=f"{service}/one")


def test_a_trainer_runs_where_it_has_said_so_lately(broker: BrokerUnderTest) -> None:
    settings = broker.settings(TrainingSettings)
    assert not trainer_runs(settings)
    report(broker, service="predictor")
    report(broker, age_seconds=2 * FRESH_SECONDS)
    assert not trainer_runs(settings)
    report(broker)
    assert trainer_runs(settings)
    report(broker, state="stopping")
    assert not trainer_runs(settings)


def test_where_no_broker_answers_no_trainer_runs() -> None:
    settings = TrainingSettings(_env_file=None, kafka_bootstrap_servers=f"127.0.0.1:{free_port()}")
    assert not trainer_runs(settings)


def test_a_wish_for_other_parameters_is_a_change() -> None:
    parameters = Parameters(forest=ForestParameters(min_samples_leaf=7))
    asked = retrain_command(ParameterFile(parameters=parameters, through_ns=8), 1)
    assert (asked.kind, parameters_of(asked.parameters)) == (RetrainKind.CHANGE, parameters)
    assert retrain_command(None, 1).kind is RetrainKind.REFRESH
    assert asked.requested_by.startswith("cli")
    assert searched_through_ns(asked.evidence) == 8
    assert retrain_command(ParameterFile(parameters=parameters), 1).evidence == {}


def test_who_asks_is_told_how_it_ends(kafka: BrokerUnderTest, tmp_path: Path) -> None:
    trainer, lines = RunningTrainer(kafka, tmp_path), list[str]()
    save_tiny_set(trainer.world.models, "set-0")
    kafka.produce("models", said("set-0", 1), key="set-0")
    with running(trainer):
        answer = ask(trainer.settings, retrain_command(None, 1), lines.append)
    assert answer.done
    assert answer.text.startswith("promoted set-"), answer
    assert ": not worse" in answer.text
    assert lines[0].startswith("sent person/")


def test_who_is_refused_is_told_so_by_an_error_whoever_asks(
    kafka: BrokerUnderTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = RunningTrainer(kafka, tmp_path)
    save_tiny_set(trainer.world.models, "set-0")
    kafka.produce("models", said("set-0", 1), key="set-0")
    back = command(CommandAction.ROLLBACK, id="back")
    monkeypatch.setattr(tasks, "retrain_command", lambda *_: structs.replace(back, id="again"))
    monkeypatch.setattr(tasks, "trainer_runs", lambda _: True)
    with running(trainer):
        with pytest.raises(NotDoneError, match="no set"):
            ask(trainer.settings, back, list[str]().append)
        with pytest.raises(NotDoneError, match="no set"):
            tasks.train_or_ask(trainer.settings, announcing=False, here=False)


def test_what_a_command_cannot_say_is_trained_here_and_not_announced_beside_a_trainer(
    kafka: BrokerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[bool] = []
    monkeypatch.setattr(tasks, "train_and_save", lambda _, announcing: trained.append(announcing))
    settings = kafka.settings(TrainingSettings)
    report(kafka)
    tasks.train_or_ask(settings, announcing=False, here=True)
    assert trained == [False]
    with pytest.raises(StopAndSayError, match="it alone announces"):
        tasks.train_or_ask(settings, announcing=True, here=True)
    report(kafka, state="stopping")
    tasks.train_or_ask(settings, announcing=True, here=True)
    tasks.train_or_ask(settings, announcing=False, here=False)
    assert trained == [False, True, False]


def test_ensure_leaves_it_to_a_trainer_that_runs(
    kafka: BrokerUnderTest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ensured: list[TrainingSettings] = []
    monkeypatch.setattr(tasks, "ensure", ensured.append)
    settings = kafka.settings(TrainingSettings)
    report(kafka)
    tasks.ensure_here(settings)
    assert ensured == []
    assert "a trainer runs" in capsys.readouterr().out
    report(kafka, state="stopping")
    tasks.ensure_here(settings)
    assert ensured == [settings]
