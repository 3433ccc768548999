"""Commands over REST on a real Kafka: the trainer answers them, and every gateway tells the same."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.command_sender import CommandSender
from gateway.settings import GatewaySettings
from schemas.broker import wait_until
from schemas.errors import RetryError
from schemas.topics import MODEL_COMMANDS
from tests.brokers import BrokerUnderTest
from tests.gateway.proxy import Proxy, proxy_to
from tests.gateway.samples import prediction
from tests.gateway.test_commands import asked
from tests.gateway.test_process import start
from tests.gateway.web import DEADLINE_SECONDS
from tests.processes import Processes, ServiceProcess
from tests.trainer.running import WAIT_SECONDS, RunningTrainer, running
from tests.trainer.tiny_sets import said, save_tiny_set


@pytest.fixture
def trainer(kafka: BrokerUnderTest, tmp_path: Path) -> Iterator[RunningTrainer]:
    """Give a trainer that runs, with a set that serves and one that did before."""
    trainer = RunningTrainer(kafka, tmp_path)
    for at, name in enumerate(("set-1", "set-0")):
        save_tiny_set(trainer.world.models, name)
        kafka.produce("models", said(name, at + 1, id=f"before-{at}"), key=name)
    kafka.produce("predictions-latest", prediction("AAPL", 1), key="AAPL")
    with running(trainer):
        yield trainer


def ask(service: ServiceProcess, method: str, path: str, **more: Any) -> dict[str, Any]:
    url = f"http://127.0.0.1:{service.health_port}{path}"
    answer = httpx.request(method, url, timeout=DEADLINE_SECONDS, **more)
    body: dict[str, Any] = answer.raise_for_status().json()
    return body


def ended(service: ServiceProcess, job: dict[str, Any]) -> dict[str, Any]:
    """Wait for the end of a job."""
    told: dict[str, Any] = {}

    def is_over() -> bool:
        told.update(ask(service, "GET", job["href"]))
        return told["decision"] is not None

    wait_until(is_over, seconds=WAIT_SECONDS, what=f"the end of {job['job']}", every_seconds=0.1)
    return told


def test_the_trainer_does_what_is_asked_and_every_gateway_tells_the_same(
    trainer: RunningTrainer, kafka: BrokerUnderTest, processes: Processes
) -> None:
    one, two = start(processes, kafka), start(processes, kafka)
    for service in (one, two):
        service.wait_until_healthy(path="/health/ready")
    once: dict[str, Any] = {"headers": {"Idempotency-Key": "once"}, "json": {"reason": "it is better"}}
    loaded = ask(one, "POST", "/models/set-1/load", **once)
    done = ended(one, loaded)
    assert (done["status"], done["decision"]["serving"]) == ("done", "set-1")
    assert (done["decision"]["decided_by"], done["decision"]["reason"]) == ("api/anonymous", "it is better")
    assert ended(two, loaded) == done
    assert ask(two, "POST", "/models/set-1/load", **once) == loaded | {"status": "done"}
    trained = ended(two, _retrained_slowly(trainer, two))
    assert (trained["status"], trained["decision"]["action"]) == ("done", "promoted")
    refused = ended(one, ask(one, "POST", "/models/set-1/unload"))
    assert (refused["status"], "set-1 does not serve" in refused["message"]) == ("refused", True)
    back = ended(one, ask(one, "POST", "/models/rollback"))
    assert (back["status"], back["decision"]["serving"]) == ("done", "set-1")
    sent = [record.event().id for record in kafka.read(MODEL_COMMANDS, 4)]
    assert sent == [job["job"] for job in (done, trained, refused, back)]
    assert one.stop() == 0
    again = start(processes, kafka)
    again.wait_until_healthy(path="/health/ready")
    assert [ask(again, "GET", f"/jobs/{job}") for job in sent] == [done, trained, refused, back]


def _retrained_slowly(trainer: RunningTrainer, service: ServiceProcess) -> dict[str, Any]:
    """Ask for a training, and see it run; give its job."""
    (trainer.world.models / "slow").touch()
    job = ask(service, "POST", "/model/retrain/AAPL")
    trainer.wait_for_state(job["job"], "running")

    def is_half_done() -> bool:
        trainer.broker.produce("service-status", trainer.board.event(), key="trainer/test")
        told = ask(service, "GET", job["href"])
        return (told["status"], told["progress"], told["message"]) == ("running", 0.5, "half of it")

    wait_until(is_half_done, seconds=WAIT_SECONDS, what="the training being half done", every_seconds=0.2)
    (trainer.world.models / "go").touch()
    return job


@pytest.mark.parametrize("away", [Proxy.go, Proxy.freeze])
async def test_what_was_not_acknowledged_is_not_sent_later(kafka: BrokerUnderTest, away: Any) -> None:
    async with proxy_to(kafka.bootstrap_servers) as proxy:
        sender = CommandSender(kafka.settings(GatewaySettings, kafka_bootstrap_servers=proxy.address))
        gone = away(proxy)
        if gone is not None:
            await gone
        trying = [asyncio.create_task(sender.send(asked(f"lost-{number}"))) for number in range(5)]
        for each in trying:
            with pytest.raises((RetryError, TimeoutError)):
                await each
        proxy.thaw()
        if gone is not None:
            await proxy.come()
        await sender.send(asked("sent"))
        sender.close()
    assert [record.event().id for record in kafka.read(MODEL_COMMANDS)] == ["sent"]
