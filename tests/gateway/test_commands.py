"""Commands to the trainer: what is asked is sent once, and every gateway tells the same of what became of it."""

import itertools
import logging
from dataclasses import replace
from typing import Any

import httpx
import pytest
from msgspec import structs

from gateway.access.scopes import Scope
from gateway.asked_jobs import JOB_SECONDS, MOST_JOBS
from gateway.parts import Parts
from schemas.events import (
    CommandAction,
    CommandProgress,
    ModelAction,
    ModelCommand,
    ModelEvent,
    ServiceState,
)
from schemas.topics import MODEL_COMMANDS, MODELS, SERVICE_STATUS
from tests.gateway.access.people import key_of
from tests.gateway.command_topic import CommandTopic, read
from tests.gateway.samples import NOON_NS, make_parts, model_event, prediction, status
from tests.gateway.web import client_of

SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS


def parts_of(**settings: Any) -> Parts:
    """Give parts with two sets: one that served, and one that serves."""
    parts = make_parts(prediction("AAPL", 1), prediction("MSFT", 2), **settings)
    for name in ("set-1", "set-2"):
        parts.models.accept(model_event(name), 0)
    return parts


@pytest.fixture
def parts() -> Parts:
    return parts_of()


@pytest.fixture
def topic(parts: Parts) -> CommandTopic:
    return CommandTopic(parts)


async def post(parts: Parts, path: str, status: int = 202, *, key: str | None = None, **more: Any) -> dict[str, Any]:
    headers = more.pop("headers", {}) | ({} if key is None else {"Idempotency-Key": key})
    async with client_of(parts) as client:
        answer = await client.post(path, headers=headers, **more)
    assert answer.status_code == status, answer.text
    said: dict[str, Any] = answer.json()
    if status == 202:
        assert answer.headers["Location"] == said["href"] == f"/api/v1/jobs/{said['job']}"
    return said


async def get(parts: Parts, path: str, status: int = 200) -> Any:
    async with client_of(parts) as client:
        answer = await client.get(path)
    assert answer.status_code == status, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("path", "body", "asked"),
    [
        ("/model/retrain/aapl", None, {"action": "retrain", "evidence": {"ticker": "AAPL"}}),
        ("/model/retrain/AAPL", {"reason": "monthly"}, {"action": "retrain", "reason": "monthly"}),
        ("/models/set-1/load", {}, {"action": "load", "model_set": "set-1", "role": "serving"}),
        (
            "/models/set-1/load",
            {"role": "challenger", "share": 0.1},
            {"action": "load", "model_set": "set-1", "role": "challenger", "share": 0.1},
        ),
        ("/models/set-2/unload", None, {"action": "unload", "model_set": "set-2", "role": "serving"}),
        ("/models/set-1/unload", {"role": "challenger"}, {"action": "unload", "role": "challenger"}),
        ("/models/rollback", {"reason": "it errs"}, {"action": "rollback", "model_set": None, "reason": "it errs"}),
    ],
)
async def test_a_wish_becomes_a_command_and_a_job(
    path: str, body: Any, asked: dict[str, Any], parts: Parts, topic: CommandTopic
) -> None:
    said = await post(parts, f"/api/v1{path}", json=body) if body is not None else await post(parts, path)
    [sent] = topic.sent
    assert {name: getattr(sent, name) for name in asked} == asked
    assert (sent.id, sent.scope, sent.requested_by, sent.requested_at_ns) == (
        said["job"],
        "*",
        "api/anonymous",
        NOON_NS,
    )
    assert ("pooled" in (said["note"] or "")) is (sent.action is CommandAction.RETRAIN)
    job = await get(parts, said["href"])
    assert (job["job"], job["status"], job["action"], job["decision"]) == (sent.id, "queued", asked["action"], None)
    assert "no trainer" in job["message"]


@pytest.mark.parametrize(
    ("path", "body", "status", "field", "named"),
    [
        ("/model/retrain/APPL", {}, 404, "ticker", "AAPL"),
        ("/model/retrain/$", {}, 400, "ticker", "symbol"),
        ("/models/set-9/load", {}, 404, "name", "set-2, set-1"),
        ("/models/set-9/unload", {}, 404, "name", "set-2, set-1"),
        ("/models/set-1/load", {"share": 0.1}, 400, "share", "challenger"),
        ("/models/set-1/load", {"role": "challenger", "share": 0.6}, 400, "share", "0.5"),
        ("/models/set-1/load", {"role": "king"}, 400, "role", "king"),
        ("/models/rollback", {"why": "so"}, 400, "why", "reason"),
        ("/models/rollback", {"reason": "x" * 201}, 400, "reason", "200"),
        ("/models/rollback", [], 400, "body", "object"),
    ],
)
async def test_a_wish_that_cannot_be_is_refused_with_the_field_and_nothing_is_sent(
    path: str, body: Any, status: int, field: str, named: str, parts: Parts, topic: CommandTopic
) -> None:
    said = await post(parts, path, status, json=body)
    assert said["field"] == field
    assert named in said["detail"]
    assert topic.sent == []


async def test_what_kafka_does_not_take_is_no_job(parts: Parts, topic: CommandTopic) -> None:
    topic.away = True
    async with client_of(parts) as client:
        answer = await client.post("/models/rollback")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "Idempotency-Key" in answer.json()["detail"]
    await get(parts, f"/jobs/{answer.json()['job']}", 404)
    parts.commands.send = None
    await post(parts, "/models/rollback", 503)


async def test_nothing_is_asked_before_the_topics_have_been_read(parts: Parts, topic: CommandTopic) -> None:
    parts.latest.caught_up = False
    for path in ("/model/retrain/AAPL", "/models/set-1/load", "/models/set-1/unload", "/models/rollback"):
        await post(parts, path, 503)
    await get(parts, "/jobs/api-1", 503)
    assert topic.sent == []


def asked(identifier: str = "person/1", **changes: Any) -> ModelCommand:
    values: dict[str, Any] = {
        "id": identifier,
        "action": CommandAction.LOAD,
        "requested_by": "cli/alice",
        "requested_at_ns": NOON_NS - SECOND_NS,
        "model_set": "set-1",
        "reason": "I like it",
    }
    return ModelCommand(**values | changes)


def answer_to(identifier: str, action: ModelAction = ModelAction.LOADED, **changes: Any) -> ModelEvent:
    return model_event("set-1", action=action, command_id=identifier, reason="so it was decided", **changes)


def report(identifier: str, where: str, share: float, **changes: Any) -> Any:
    progress = CommandProgress(id=identifier, action="load", state=where, progress=share, message="fold 2 of 3")
    return status("trainer", commands=[progress], **changes)


async def test_a_job_is_what_the_topics_say_in_whatever_order_they_are_read() -> None:
    records = [
        (MODEL_COMMANDS, asked()),
        (MODELS, answer_to("person/1", numbers={"error_ratio": 0.9})),
        (SERVICE_STATUS, report("person/1", "running", 0.4)),
    ]
    said = []
    for order in itertools.permutations(records):
        parts = parts_of()
        for topic, event in order:
            read(parts, topic, event)
        said.append(await get(parts, "/jobs/person/1"))
    assert all(each == said[0] for each in said)
    assert said[0] == {
        "job": "person/1",
        "action": "load",
        "status": "done",
        "progress": 1.0,
        "message": "so it was decided",
        "asked_by": "cli/alice",
        "asked_at": "2024-01-01T11:59:59Z",
        "reason": "I like it",
        "model_set": "set-1",
        "decision": {
            "action": "loaded",
            "model_set": "set-1",
            "serving": "set-1",
            "challenger": None,
            "reason": "so it was decided",
            "decided_by": "trainer",
            "decided_at": "2024-01-01T12:00:00Z",
            "numbers": {"error_ratio": 0.9},
        },
    }


@pytest.mark.parametrize(
    ("action", "failed", "state"),
    [
        (ModelAction.PROMOTED, False, "done"),
        (ModelAction.REJECTED, False, "refused"),
        (ModelAction.REJECTED, True, "failed"),
    ],
)
async def test_a_decision_ends_a_job(action: ModelAction, failed: bool, state: str, parts: Parts) -> None:
    read(parts, MODEL_COMMANDS, asked())
    read(parts, MODELS, answer_to("person/1", action, failed=failed))
    job = await get(parts, "/jobs/person/1")
    assert (job["status"], job["message"]) == (state, "so it was decided")


async def test_until_it_is_decided_the_trainer_that_runs_tells(parts: Parts) -> None:
    async def job() -> tuple[str, float, str]:
        said = await get(parts, "/jobs/person/1")
        return said["status"], said["progress"], said["message"]

    read(parts, MODEL_COMMANDS, asked())
    assert (await job())[0] == "queued"
    read(parts, SERVICE_STATUS, status("trainer"))
    assert await job() == ("queued", 0.0, "")
    read(parts, SERVICE_STATUS, report("person/1", "queued", 0.0))
    assert await job() == ("queued", 0.0, "fold 2 of 3")
    read(parts, SERVICE_STATUS, report("person/1", "running", 0.4))
    assert await job() == ("running", 0.4, "fold 2 of 3")
    read(parts, SERVICE_STATUS, report("person/1", "done", 1.0))
    assert (await job())[0] == "running", "the decision tells of the end"
    gone = [report("person/1", "running", 0.4, state=ServiceState.STOPPING)]
    gone += [report("person/1", "running", 0.4, updated_at_ns=NOON_NS - 16 * SECOND_NS)]
    for each in gone:
        read(parts, SERVICE_STATUS, each)
        assert await job() == ("queued", 0.0, "no trainer has reported lately: the command waits for one")


async def test_a_key_gives_the_same_job_here_and_at_every_gateway_that_has_read_the_log(
    parts: Parts, topic: CommandTopic
) -> None:
    other = parts_of()
    others = CommandTopic(other)
    first = await post(parts, "/models/set-1/load", key="k-1", json={"reason": "now"})
    assert await post(parts, "/api/v1/models/set-1/load", key="k-1", content='{ "reason":"now"}', headers=JSON) == first
    at_once = await post(other, "/models/set-1/load", key="k-1", json={"reason": "now"})
    assert at_once["job"] == first["job"], "the trainer is asked twice, and answers what it knows by its id once"
    restarted = parts_of()
    CommandTopic(restarted)
    read(restarted, MODEL_COMMANDS, *topic.sent)
    read(restarted, MODELS, answer_to(first["job"], ModelAction.REJECTED))
    again = await post(restarted, "/models/set-1/load", key="k-1", json={"reason": "now"})
    assert (again["job"], again["status"]) == (first["job"], "refused")
    assert (len(topic.sent), len(others.sent)) == (1, 1)
    assert "k-1" not in first["job"]


JSON = {"Content-Type": "application/json"}


async def test_a_key_that_was_used_for_something_else_is_400(parts: Parts, topic: CommandTopic) -> None:
    await post(parts, "/models/set-1/load", key="k-1")
    for path, body in (
        ("/models/set-2/load", {}),
        ("/models/set-1/unload", {}),
        ("/models/set-1/load", {"reason": "x"}),
    ):
        said = await post(parts, path, 400, key="k-1", json=body)
        assert (said["field"], said["type"].rpartition(":")[2]) == ("Idempotency-Key", "idempotency-key-reused")
    for unfit in ("", " ", "a b", "x" * 256):
        assert (await post(parts, "/models/rollback", 400, key=unfit))["field"] == "Idempotency-Key"
    assert len(topic.sent) == 1


async def test_a_key_is_remembered_for_24_hours_across_midnight_and_no_longer(topic: CommandTopic) -> None:
    now = [NOON_NS]
    parts = replace(parts_of(), clock_ns=lambda: now[0])
    topic = CommandTopic(parts)
    first = await post(parts, "/models/rollback", key="k")
    now[0] += DAY_NS
    assert await post(parts, "/models/rollback", key="k") == first
    now[0] += SECOND_NS
    later = await post(parts, "/models/rollback", key="k")
    assert later["job"] != first["job"], "or the trainer would take it for one that it has answered"
    assert len(topic.sent) == 2
    assert await post(parts, "/models/rollback", key="k") == later


async def test_what_is_asked_names_the_key_of_who_asks_and_the_log_keeps_it(caplog: pytest.LogCaptureFixture) -> None:
    parts = parts_of(auth_required=True)
    topic = CommandTopic(parts)
    jobs = []
    for _ in range(2):
        text, kept = key_of(parts, Scope.ADMIN)
        with caplog.at_level(logging.INFO):
            said = await post(parts, "/models/set-1/load", key="k", headers={"X-API-Key": text})
        jobs.append(said["job"])
        assert topic.sent[-1].requested_by == f"api/{kept.id}"
        assert any(kept.id in line and said["job"] in line and "set-1" in line for line in caplog.messages)
    assert jobs[0] != jobs[1], "an idempotency key is of one caller"


async def test_of_the_jobs_the_newest_of_seven_days_are_remembered(parts: Parts, topic: CommandTopic) -> None:
    first = await post(parts, "/models/rollback", key="k")
    commands = [asked(str(number)) for number in range(MOST_JOBS)]
    read(parts, MODEL_COMMANDS, *commands)
    read(parts, MODELS, *(answer_to(str(number)) for number in range(2 * MOST_JOBS)))
    await get(parts, first["href"], 404)
    assert (await get(parts, "/jobs/0"))["status"] == "queued", "its decision was among too many others"
    assert (await get(parts, f"/jobs/{MOST_JOBS - 1}"))["status"] == "done"
    assert (await post(parts, "/models/rollback", key="k"))["job"] == first["job"]
    read(parts, MODEL_COMMANDS, asked("old", requested_at_ns=NOON_NS - (JOB_SECONDS + 1) * SECOND_NS))
    said = await get(parts, "/jobs/old", 404)
    assert "1,000" in said["detail"]


async def test_what_other_writers_send_fills_no_memory(parts: Parts) -> None:
    huge = "x" * 100_000
    read(parts, MODEL_COMMANDS, asked(huge), structs.replace(asked(), reason=huge))
    read(parts, MODELS, answer_to(huge))
    assert len((await get(parts, "/jobs/person/1"))["reason"]) < 2_000
    async with client_of(parts) as client:
        answer: httpx.Response = await client.get(f"/jobs/{huge[:1_000]}")
    assert answer.status_code == 404


def test_sets_that_had_a_part_are_known_by_name(parts: Parts) -> None:
    for number in range(120):
        parts.models.accept(model_event(f"new-{number}", challenger=f"shown-{number}"), 0)
        parts.models.accept(model_event("set-2", challenger="shown"), 0)
    known = list(parts.models.known)
    assert known[-2:] == ["shown", "set-2"]
    assert len(known) == 100
