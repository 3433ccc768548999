"""What is announced is what is read back, on every broker."""

import shutil
from pathlib import Path

import pytest

from predictor.artifacts import read_manifest
from predictor.saving import model_event
from predictor.training.announce import announce, newest_decision, require_models_topic
from predictor.training.settings import TrainingSettings
from predictor.training.tasks import ensure
from schemas.errors import StopAndSayError
from schemas.events import ModelAction
from schemas.topics import MODELS
from tests.brokers import BrokerUnderTest
from tests.predictor_models.examples import manifest
from tests.training import Trained


def test_the_newest_decision_is_read_back(broker: BrokerUnderTest, tmp_path: Path) -> None:
    settings = broker.settings(TrainingSettings)
    assert newest_decision(settings) is None
    for decided_at_ns, name in ((1, "one"), (2, "two"), (3, "three")):
        event = model_event(manifest(model_set=name), tmp_path / name, ModelAction.TRAINED, "t", "why", decided_at_ns)
        announce(settings, event)
        assert newest_decision(settings) == event
    records = broker.read(MODELS, 3)
    assert {record.key for record in records} == {b"one", b"two", b"three"}
    assert {record.headers["ce_type"] for record in records} == {b"tickcast.ModelEvent"}


def test_ensure_announces_once_and_then_leaves_it(
    broker: BrokerUnderTest, trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(trained.folder, tmp_path / trained.folder.name)
    own = trained.settings.model_dump(include={"start", "tickers", "training_window_bars"})
    settings = broker.settings(TrainingSettings, models_directory=tmp_path, **own)
    ensure(settings)
    ensure(settings)
    (record,) = broker.read(MODELS)
    assert record.event().serving == read_manifest(trained.folder).model_set
    assert "serves already" in capsys.readouterr().out


def test_a_garbage_record_among_the_decisions_is_passed_over(broker: BrokerUnderTest, tmp_path: Path) -> None:
    settings = broker.settings(TrainingSettings)
    event = model_event(manifest(), tmp_path, ModelAction.TRAINED, "t", "why", 1)
    announce(settings, event)
    broker.produce(MODELS, b"{garbage", None, key=b"x")
    assert newest_decision(settings) == event


def test_missing_topics_are_said_before_anything_is_trained(broker: BrokerUnderTest) -> None:
    settings = broker.settings(TrainingSettings, topic_prefix=f"{broker.topic_prefix}other.")
    with pytest.raises(StopAndSayError, match="models is missing"):
        require_models_topic(settings)
