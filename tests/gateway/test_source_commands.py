"""Other tickers for a source over REST: asked once, told of as a job, refused before it is sent where that is known."""

from typing import Any

import pytest
from msgspec import structs

from gateway.access.scopes import Scope
from gateway.parts import Parts
from schemas.events import CommandProgress, ServiceStatus, SourceAction, SourceCommand, SourceStatus
from schemas.topics import SERVICE_STATUS, SOURCE_COMMANDS
from tests.gateway.access.people import key_of
from tests.gateway.command_topic import CommandTopic, read
from tests.gateway.samples import NOON_NS, make_parts, prediction, status
from tests.gateway.test_commands import SECOND_NS, get, post

_LIVE = SourceStatus(
    source="live",
    plays="alpaca,yahoo",
    changeable=True,
    tickers=["AAPL", "MSFT"],
    paused_ns={"MSFT": NOON_NS},
    beginning=["AAPL", "MSFT"],
    last_tick_ns=NOON_NS,
    latency_seconds=0.04,
)


def ingestor(source: SourceStatus = _LIVE, **changes: Any) -> ServiceStatus:
    return status("ingestor", sources=[source], **changes)


def parts_of(**settings: Any) -> Parts:
    """Give parts with an ingestor that plays live markets, and one that replays."""
    parts = make_parts(prediction("AAPL", 1), **settings)
    replay = SourceStatus(source="replay", plays="replay", changeable=False)
    read(parts, SERVICE_STATUS, ingestor(), ingestor(replay, instance="two"))
    return parts


@pytest.fixture
def parts() -> Parts:
    return parts_of()


@pytest.fixture
def topic(parts: Parts) -> CommandTopic:
    return CommandTopic(parts)


@pytest.mark.parametrize(
    ("path", "body", "asked"),
    [
        ("/sources/live/add", {"tickers": ["tsla", "NVDA", "NVDA"]}, ("add", ["NVDA", "TSLA"])),
        ("/sources/yahoo/pause", {"tickers": ["AAPL"]}, ("pause", ["AAPL"])),
        ("/sources/live/remove", {}, ("remove", [])),
        ("/sources/live/resume", None, ("resume", [])),
    ],
)
async def test_a_wish_becomes_a_command_and_a_job(
    path: str, body: Any, asked: tuple[str, list[str]], parts: Parts, topic: CommandTopic
) -> None:
    said = await post(parts, path, json=body) if body is not None else await post(parts, path)
    [sent] = topic.sent
    assert (sent.source, sent.action, sent.tickers) == ("live", *asked)
    assert (sent.id, sent.requested_by, sent.requested_at_ns) == (said["job"], "api/anonymous", NOON_NS)
    job = await get(parts, said["href"])
    assert job == {
        "job": sent.id,
        "action": asked[0],
        "status": "queued",
        "progress": 0.0,
        "message": "",
        "asked_by": "api/anonymous",
        "asked_at": "2024-01-01T12:00:00Z",
        "source": "live",
        "tickers": asked[1],
    }


@pytest.mark.parametrize(
    ("path", "body", "status", "field", "named"),
    [
        ("/sources/live/add", {}, 400, "tickers", "name the tickers"),
        ("/sources/live/add", {"tickers": ["AAPL", "$"]}, 400, "tickers[1]", "symbol"),
        ("/sources/live/add", {"ticker": "AAPL"}, 400, "ticker", "tickers"),
        ("/sources/live/stop", {}, 400, "action", "add"),
        ("/sources/polygon/add", {"tickers": ["AAPL"]}, 404, "source", "live, replay"),
        ("/sources/replay/remove", {"tickers": ["AAPL"]}, 409, "source", "live sources"),
    ],
)
async def test_a_wish_that_cannot_be_is_refused_with_the_field_and_nothing_is_sent(
    path: str, body: Any, status: int, field: str, named: str, parts: Parts, topic: CommandTopic
) -> None:
    said = await post(parts, path, status, json=body)
    assert said["field"] == field
    assert named in said["detail"]
    assert topic.sent == []


async def test_only_an_admin_may_ask_and_the_command_names_the_key(topic: CommandTopic) -> None:
    parts = parts_of(auth_required=True)
    topic = CommandTopic(parts)
    reader, _ = key_of(parts, Scope.READ, Scope.STREAM)
    await post(parts, "/sources/live/remove", 403, headers={"X-API-Key": reader})
    admin, kept = key_of(parts, Scope.ADMIN)
    await post(parts, "/sources/live/remove", headers={"X-API-Key": admin})
    assert [sent.requested_by for sent in topic.sent] == [f"api/{kept.id}"]


async def test_a_key_gives_the_same_job_and_another_request_with_it_is_400(parts: Parts, topic: CommandTopic) -> None:
    first = await post(parts, "/sources/live/pause", key="k", json={"tickers": ["AAPL"]})
    assert await post(parts, "/sources/alpaca/pause", key="k", json={"tickers": ["aapl"]}) == first
    assert len(topic.sent) == 1
    for path in ("/sources/live/resume", "/models/rollback"):
        said = await post(parts, path, 400, key="k")
        assert said["type"].endswith("idempotency-key-reused")
    restarted = parts_of()
    CommandTopic(restarted)
    read(restarted, SOURCE_COMMANDS, *topic.sent)
    assert (await post(restarted, "/sources/live/pause", key="k", json={"tickers": ["AAPL"]}))["job"] == first["job"]


async def test_what_kafka_does_not_take_is_no_job(parts: Parts, topic: CommandTopic) -> None:
    topic.away = True
    said = await post(parts, "/sources/live/remove", 503)
    await get(parts, f"/jobs/{said['job']}", 404)


async def test_the_job_says_what_the_ingestor_says_and_remembers_it() -> None:
    asked = SourceCommand(
        id="person/1",
        source="live",
        action=SourceAction.ADD,
        requested_by="cli/ann",
        requested_at_ns=NOON_NS - SECOND_NS,
        tickers=["NVDA"],
    )
    parts = parts_of()

    async def job() -> tuple[str, str]:
        said = await get(parts, "/jobs/person/1")
        return said["status"], said["message"]

    def report(*answers: tuple[str, str], **changes: Any) -> ServiceStatus:
        commands = [
            CommandProgress(id="person/1", action="add", state=state, progress=0.0, message=message)
            for state, message in answers
        ]
        return ingestor(structs.replace(_LIVE, **changes), commands=commands)

    read(parts, SOURCE_COMMANDS, asked)
    assert await job() == ("queued", "")
    read(parts, SERVICE_STATUS, report(("running", "waits for the provider")))
    assert await job() == ("running", "waits for the provider")
    read(parts, SERVICE_STATUS, report(("done", "plays AAPL, NVDA")), report())
    assert await job() == ("done", "plays AAPL, NVDA")
    parts = parts_of()
    read(parts, SOURCE_COMMANDS, asked)
    read(parts, SERVICE_STATUS, report(commands_before=1))
    assert (await job())[0] == "done", "it was answered, however long ago"
    parts = make_parts(prediction("AAPL", 1))
    read(parts, SOURCE_COMMANDS, asked)
    assert "no ingestor" in (await job())[1]


async def test_what_plays_is_listed(parts: Parts) -> None:
    live, replay = (await get(parts, "/sources"))["sources"]
    assert live == {
        "source": "live",
        "plays": "alpaca,yahoo",
        "changeable": True,
        "tickers": ["AAPL", "MSFT"],
        "paused": {"MSFT": "2024-01-01T12:00:00Z"},
        "expects_ticks": True,
        "last_tick_at": "2024-01-01T12:00:00Z",
        "latency_seconds": 0.04,
        "state": "ready",
        "message": "",
    }
    assert (replay["source"], replay["changeable"]) == ("replay", False)
    read(parts, SERVICE_STATUS, ingestor(updated_at_ns=NOON_NS - 16 * SECOND_NS))
    assert [each["source"] for each in (await get(parts, "/sources"))["sources"]] == ["replay"]
