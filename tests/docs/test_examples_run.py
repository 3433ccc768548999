"""The README's three doors, opened as written (but for the port)."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from itertools import count

import pytest
from msgspec.structs import replace

from schemas.asyncapi_messages import EXAMPLES
from schemas.codec import decoder
from schemas.events import Prediction
from schemas.times import to_rfc3339
from schemas.topics import PREDICTIONS, PREDICTIONS_LATEST, Topic
from tests.brokers import BrokerUnderTest
from tests.docs.documents import README, code_blocks
from tests.processes import Processes, ServiceProcess, clean_environment, free_port

ADDRESS = "127.0.0.1:8000"
EXAMPLE = decoder(Prediction)((EXAMPLES / "Prediction.json").read_bytes())
WEBSOCKET_EXAMPLE, CLIENT_EXAMPLE, KAFKA_EXAMPLE = code_blocks(README, "python")


def say(broker: BrokerUnderTest, topic: Topic, *, later: int = 0) -> None:
    """Predict as the predictor does; a later one has a later place in the log."""
    prediction = replace(EXAMPLE, id=f"{EXAMPLE.id}+{later}", source_offset=EXAMPLE.source_offset + later)
    broker.produce(topic, prediction, key=EXAMPLE.ticker)


@pytest.fixture
def gateway(embedded: BrokerUnderTest, processes: Processes) -> Iterator[ServiceProcess]:
    say(embedded, PREDICTIONS_LATEST)
    port = free_port()
    service = processes.start("gateway", environment=embedded.environment(gateway_port=port, metrics_port=port))
    service.wait_until_healthy()
    yield service
    service.end()


@pytest.fixture
def running_env(embedded: BrokerUnderTest, processes: Processes) -> str:
    """Write `var/running.env` as `tickcast run` does, in the folder where examples run."""
    (processes.folder / "var").mkdir()
    text = "".join(f"{name}={value}\n" for name, value in embedded.environment().items())
    (processes.folder / "var/running.env").write_text(text)
    return text


def start_example(processes: Processes, code: str) -> ServiceProcess:
    (processes.folder / "readme_example.py").write_text(code)
    return processes.start("readme_example")


def test_the_rest_example_answers_what_is_shown(gateway: ServiceProcess) -> None:
    (command,) = [line for line in code_blocks(README, "sh")[1].splitlines() if line.startswith("curl ")]
    code, body = gateway.get(command.rpartition(ADDRESS)[2])
    (shown,) = code_blocks(README, "json")
    answer = json.loads(body)
    assert code == 200
    for name, value in json.loads(shown).items():
        assert answer[name] == value or answer[name].items() >= value.items(), "a part of what really comes"


def test_the_websocket_example_prints_new_predictions(
    embedded: BrokerUnderTest, gateway: ServiceProcess, processes: Processes
) -> None:
    example = start_example(processes, WEBSOCKET_EXAMPLE.replace(ADDRESS, f"127.0.0.1:{gateway.health_port}"))
    later = count(1)

    def printed() -> bool:
        say(embedded, PREDICTIONS_LATEST, later=next(later))
        return "\n" in example.output()

    example.wait_for(printed, seconds=30, what="printing a prediction")
    assert example.output().splitlines()[0].split() == [
        to_rfc3339(EXAMPLE.as_of_ns),
        "AAPL",
        str(EXAMPLE.current_price),
        EXAMPLE.horizons[0].direction,
    ]


def test_the_example_of_the_client_prints_the_latest_prediction(gateway: ServiceProcess, processes: Processes) -> None:
    example = start_example(processes, CLIENT_EXAMPLE.replace(ADDRESS, f"127.0.0.1:{gateway.health_port}"))
    example.wait_for(lambda: "\n" in example.output(), seconds=30, what="printing a prediction")
    assert example.output().splitlines()[0] == f"AAPL {EXAMPLE.horizons[0].price_target}"


@pytest.mark.usefixtures("running_env")
def test_the_kafka_example_prints_the_predictions_of_the_log(embedded: BrokerUnderTest, processes: Processes) -> None:
    say(embedded, PREDICTIONS)
    example = start_example(processes, KAFKA_EXAMPLE)
    example.wait_for(lambda: "\n" in example.output(), seconds=30, what="printing a prediction")
    targets = [horizon.price_target for horizon in EXAMPLE.horizons]
    assert example.output().splitlines()[0] == f"AAPL {EXAMPLE.id}+0 {targets}"


@pytest.mark.usefixtures("running_env")
@pytest.mark.skipif(shutil.which("kcat") is None, reason="kcat is not installed")
def test_the_kcat_example_prints_the_predictions_of_the_log(embedded: BrokerUnderTest, processes: Processes) -> None:
    say(embedded, PREDICTIONS)
    (script,) = [block for block in code_blocks(README, "sh") if "kcat" in block]
    once = script.replace("-o end", "-o beginning -e").strip()
    done = subprocess.run(
        ["bash", "-euc", once],
        cwd=processes.folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    key, _, value = done.stdout.partition(" ")
    assert (key, json.loads(value)["id"]) == ("AAPL", f"{EXAMPLE.id}+0")
