"""The predictor as a process."""

import signal
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest
from confluent_kafka import KafkaError, KafkaException
from msgspec import structs

from predictor.service import run
from predictor.settings import PredictorSettings
from schemas.errors import EXIT_STOP_AND_SAY, RetryError
from schemas.events import Prediction, ServiceState
from tests.brokers import BrokerUnderTest
from tests.predictor.feature_events import final
from tests.predictor.saved_sets import save_linear_set
from tests.predictor.test_worker import TICKERS, content, finals, predictions, send
from tests.processes import Processes, clean_environment


def test_serving_imports_no_training_library() -> None:
    heavy = "{'tensorflow', 'keras', 'sklearn', 'pandas', 'tf2onnx', 'skl2onnx', 'onnx'}"
    code = f"import sys, predictor.__main__; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def run_predictor(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, away from any `.env`."""
    command = [sys.executable, "-m", "predictor", *arguments]
    environment = clean_environment()
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment)


def test_an_unknown_argument_is_refused(tmp_path: Path) -> None:
    ended = run_predictor("fly", folder=tmp_path)
    assert ended.returncode == 2
    assert "invalid choice: 'fly' (choose from" in ended.stderr


@pytest.mark.parametrize(
    ("command", "said", "code"),
    [("train", "train on replay or file:PATH", EXIT_STOP_AND_SAY), ("ensure", "the statistical forecaster answers", 0)],
)
def test_training_is_the_predictors(command: str, said: str, code: int, tmp_path: Path) -> None:
    ended = run_predictor(command, "--source", "simulated", folder=tmp_path)
    assert (ended.returncode, said in ended.stdout + ended.stderr) == (code, True)


def test_sigkill_between_batches_loses_nothing_and_says_nothing_twice_with_another_content(
    broker: BrokerUnderTest, processes: Processes, tmp_path: Path
) -> None:
    _, event = save_linear_set(tmp_path)
    broker.produce("models", event, key=event.model_set)
    send(broker, finals(range(20)))
    first = processes.start("predictor", environment=broker.environment())
    broker.read("predictions", until=10)
    first.kill()
    send(broker, finals(range(20, 25)))
    second = processes.start("predictor", environment=broker.environment())
    wanted = {each.id for each in finals(range(25))}
    said = predictions(
        broker.read("predictions", until=lambda records: wanted <= {each.feature_id for each in predictions(records)})
    )
    by_id: dict[str, Prediction] = {}
    for prediction in said:
        assert content(by_id.setdefault(prediction.id, prediction)) == content(prediction)
        assert (prediction.model_set, prediction.degraded) == ("set-linear", None)
        assert prediction.horizons[0].log_return not in [model.horizons[0].log_return for model in prediction.models]
    assert len(by_id) == len(wanted)
    assert second.stop() == 0


def test_health_metrics_and_status_tell_how_it_is(kafka: BrokerUnderTest, processes: Processes, tmp_path: Path) -> None:
    service = processes.start("predictor", environment=kafka.environment(models_directory=tmp_path))
    service.wait_until_healthy()
    service.wait_for(lambda: service.health().get("state") == "degraded", what="saying that it is untrained")
    folder, event = save_linear_set(tmp_path)
    elsewhere = structs.replace(event, location=f"/somewhere/else/{folder.name}")
    kafka.produce("models", elsewhere, key=event.model_set)
    service.wait_for(lambda: service.health().get("state") == "ready", what="the set's turn")
    send(kafka, [final(ticker) for ticker in TICKERS])
    service.wait_for(lambda: service.metric("tickcast_predictions_total") == len(TICKERS), what="the predictions")
    service.wait_for(lambda: service.metric("tickcast_model_swaps_total") == 1, what="the count of the swap")
    assert service.stop() == 0
    states = [record.event().state for record in kafka.read("service-status")]
    assert states[-1] is ServiceState.STOPPING
    assert ServiceState.READY in states


def test_missing_topics_stop_it_with_one_line(kafka: BrokerUnderTest, processes: Processes) -> None:
    environment = kafka.environment(topic_prefix="nothing.here.")
    service = processes.start("predictor", environment=environment)
    assert service.wait() == EXIT_STOP_AND_SAY
    lines = [line for line in service.output().splitlines() if line.startswith("predictor: ")]
    assert len(lines) == 1
    assert "topic nothing.here.features is missing" in lines[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_leaves_when_told_to(kafka: BrokerUnderTest, processes: Processes, number: signal.Signals) -> None:
    service = processes.start("predictor", environment=kafka.environment())
    service.wait_until_healthy()
    service.send(number)
    assert service.wait() == 0


def test_a_broker_that_goes_away_at_a_bad_moment_is_one_line_and_a_new_start(
    embedded: BrokerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise KafkaException(KafkaError(KafkaError._ALL_BROKERS_DOWN))

    monkeypatch.setattr("predictor.worker.ModelFeed.read_to_ends", gone)
    monkeypatch.setattr("predictor.service.stop_event_on_signals", Event)
    with pytest.raises(RetryError, match=r"the broker cannot be read or written: .*All broker connections are down"):
        run(embedded.settings(PredictorSettings, metrics_port=0))
