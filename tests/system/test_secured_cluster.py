"""The whole system on a cluster that wants TLS and a password, served over HTTPS."""

import re
import signal
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from schemas.errors import EXIT_STOP_AND_SAY
from tests.certificates import Authority
from tests.processes import Processes, ServiceProcess, free_port
from tests.secured_kafka import PASSWORD, USER, SecuredKafka, secured_kafka
from tests.servers import require_local_kafka

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("metrics-ports")]

DEADLINE_SECONDS = 120.0
#: Of a service whose supervisor should start it again.
EXIT_AND_TRY_AGAIN = 1
SERVICES = {"ingestor", "feature_stream", "predictor", "outcomes", "trainer", "recorder", "gateway"}
#: Whatever speaks with the cluster: module and arguments.
PROGRAMS = (
    ("deploy.topics",),
    ("ingestor",),
    ("feature_stream",),
    ("feature_stream.outcomes",),
    ("predictor",),
    ("predictor.training", "trainer"),
    ("gateway",),
    ("gateway.recorder",),
    ("ingestor.dead_letters", "list"),
    ("predictor.commanding", "list"),
    ("feature_stream.drift_command",),
    ("deploy.cli", "run"),
)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[SecuredKafka]:
    require_local_kafka()
    with secured_kafka(tmp_path_factory.mktemp("secured"), authority) as kafka:
        yield kafka


class Run:
    """`tickcast run` on the cluster, and a client of its gateway."""

    def __init__(self, processes: Processes, cluster: SecuredKafka, authority: Authority) -> None:
        served = authority.issue("gateway")
        self.port = free_port()
        environment = cluster.environment(
            interval="1s",
            source="simulated",
            ticker_count=3,
            rate_per_second=50,
            gateway_port=self.port,
            tls_certificate_file=served.certificate,
            tls_key_file=served.key,
        )
        self.folder = processes.folder
        self.process: ServiceProcess = processes.start("deploy.cli", "run", environment=environment)
        self._client = httpx.Client(
            base_url=f"https://127.0.0.1:{self.port}",
            verify=ssl.create_default_context(cafile=str(authority.certificate)),
            timeout=DEADLINE_SECONDS,
        )

    def get(self, path: str) -> Any:
        """Ask the gateway over HTTPS."""
        return self._client.get(path).raise_for_status().json()

    def asks_the_trainer(self) -> str:
        """Send it a command, wait for its answer, and give that."""
        job = self._client.post("/models/rollback").raise_for_status().json()["href"]
        self.process.wait_for(lambda: self.get(job)["decision"] is not None, what="the trainer's answer")
        return str(self.get(job)["decision"]["action"])

    def newest(self) -> str:
        """Say when the newest prediction was made."""
        return str(max(prediction["updated_at"] for prediction in self.get("/predictions")["predictions"]))


def test_ticks_become_predictions_through_the_secured_listener_and_a_restart_of_the_broker(
    cluster: SecuredKafka, authority: Authority, processes: Processes
) -> None:
    run = Run(processes, cluster, authority)
    run.process.wait_for(lambda: "first prediction: " in run.process.output(), what="the first prediction")
    assert f"open https://127.0.0.1:{run.port}/" in run.process.output()
    ticker = run.get("/predictions")["predictions"][0]["ticker"]
    assert run.get(f"/predict/{ticker}")["current_price"] > 0
    run.process.wait_for(lambda: run.get("/health")["services"].keys() >= SERVICES, what="all services' status")

    assert run.asks_the_trainer() in ("rejected", "rolled_back")

    cluster.node.kill()
    before = run.newest()  # answered without a broker
    cluster.node.start_again()
    run.process.wait_for(lambda: run.newest() > before, what="new predictions")

    running = (run.folder / "var" / "running.env").read_text()
    health = run.get("/health")
    run.process.send(signal.SIGINT)
    assert run.process.wait(DEADLINE_SECONDS) == 0
    assert "Traceback" not in run.process.output()
    assert PASSWORD not in f"{run.process.output()} {running} {health}"


def refusals(
    processes: Processes, environment: dict[str, str], programs: tuple[tuple[str, ...], ...] = PROGRAMS
) -> list[str]:
    """Start programs, check that each ended by itself with one line, and give the lines."""
    environment = {"TICKCAST_SOURCE": "simulated", "TICKCAST_INTERVAL": "1s", **environment}
    services = [
        processes.start(*words, environment={**environment, "TICKCAST_GATEWAY_PORT": str(free_port())})
        for words in programs
    ]
    for service in services:
        assert service.wait(DEADLINE_SECONDS) == EXIT_STOP_AND_SAY, (service.name, service.output())
    return [line for service in services for line in service.output().strip().splitlines()]


def test_a_wrong_password_ends_everything_with_one_line_that_names_the_setting(
    cluster: SecuredKafka, processes: Processes
) -> None:
    wrong = {"kafka_sasl_password": "hunter2", "kafka_sasl_password_file": None}
    lines = refusals(processes, cluster.environment(**wrong, kafka_sasl_mechanism="SCRAM-SHA-256"))
    said = re.compile(
        rf"^[\w -]+: the Kafka broker at \S+ refuses the user '{USER}' with SCRAM-SHA-256 .*SASL_PASSWORD"
    )
    assert [line for line in lines if not said.match(line)] == []
    assert len(lines) == len(PROGRAMS)
    assert "hunter2" not in "".join(lines)


def test_a_broker_of_an_unknown_authority_is_refused_with_one_line_that_names_the_setting(
    cluster: SecuredKafka, processes: Processes, tmp_path: Path
) -> None:
    lines = refusals(processes, cluster.environment(kafka_ssl_ca_file=Authority(tmp_path).certificate))
    said = re.compile(
        r"^[\w -]+: the certificate of the Kafka broker at \S+ cannot be verified: set TICKCAST_KAFKA_SSL"
    )
    assert [line for line in lines if not said.match(line)] == []
    assert len(lines) == len(PROGRAMS)


def test_a_plain_connection_to_a_listener_that_wants_tls_says_what_to_set(
    cluster: SecuredKafka, processes: Processes
) -> None:
    plain = {"kafka_bootstrap_servers": cluster.bootstrap_servers, "kafka_answer_seconds": "1.5"}
    environment = {f"TICKCAST_{name.upper()}": value for name, value in plain.items()}
    service = processes.start("ingestor", environment=environment)
    assert service.wait(DEADLINE_SECONDS) == EXIT_AND_TRY_AGAIN
    (line,) = service.output().strip().splitlines()
    assert "does it want TLS? Then set TICKCAST_KAFKA_SECURITY_PROTOCOL" in line
