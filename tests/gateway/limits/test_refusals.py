"""All refusals are counted, and a flood of them leaves the log readable."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from gateway.access.scopes import Scope
from gateway.limits.refusals import LINES_PER_PERIOD, PERIOD_SECONDS, Refusals
from schemas import metrics
from tests.gateway.access.people import key_of
from tests.gateway.access.test_gate import code_of
from tests.gateway.samples import make_parts, prediction
from tests.gateway.web import client_of, running, talking

SCOPE = {"client": ("1.2.3.4", 5)}


class Alarm:
    """What would be called later."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, delay_seconds: float, work: Callable[[], None]) -> None:
        assert delay_seconds == PERIOD_SECONDS
        self.waiting.append(work)

    def ring(self) -> None:
        for work in self.waiting:
            work()
        self.waiting.clear()


def test_each_reason_has_so_many_lines_a_period_then_one_that_counts_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    registry, alarm = CollectorRegistry(), Alarm()
    refusals = Refusals(metrics.REFUSED.counter(registry), alarm)
    for number in range(100):
        refusals.note(SCOPE, "wrong-key", f"number {number}")
    refusals.note(SCOPE, "revoked-key", "another reason")
    refusals.note(SCOPE, "key-required")
    assert len(caplog.messages) == LINES_PER_PERIOD + 1
    assert caplog.messages[-1] == "refused 1.2.3.4: another reason"
    alarm.ring()
    assert caplog.messages[LINES_PER_PERIOD + 1 :] == [f"refused {100 - LINES_PER_PERIOD} more within 60 s: wrong-key"]
    refusals.note(SCOPE, "wrong-key", "in the next period")
    assert caplog.messages[-1] == "refused 1.2.3.4: in the next period"
    alarm.ring()
    assert caplog.messages[-1] == "refused 1.2.3.4: in the next period"
    assert registry.get_sample_value("tickcast_refused_total", {"reason": "wrong-key"}) == 101
    assert registry.get_sample_value("tickcast_refused_total", {"reason": "key-required"}) == 1


async def test_the_metrics_say_why_requests_were_refused(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    once: dict[str, Any] = {
        f"limit_{name}_{what}": 1 for name in ("key", "costly", "refused") for what in ("burst", "per_second")
    }
    slow = {name: 0.001 for name in once if name.endswith("second")}
    parts = make_parts(prediction("AAPL", 1), auth_required=True, limit_streams_per_client=1, **(once | slow))
    reader, kept = key_of(parts, Scope.READ)
    streamers = [{"X-API-Key": key_of(parts, Scope.STREAM)[0]} for _ in range(2)]
    async with running(parts) as server:
        async with client_of(parts) as client:
            await client.get("/predict/AAPL", headers={"Host": "elsewhere.example"})
            for key in ("tc_abc_def", "tc_abc_ghi"):
                await client.get("/predict/AAPL", headers={"X-API-Key": key})
            for _ in range(2):
                await client.get("/predict/AAPL", headers={"X-API-Key": reader})
        async with connect(server.socket_url, additional_headers=streamers[0]):
            with pytest.raises(InvalidStatus):
                await connect(server.socket_url, additional_headers=streamers[1])
        for wrong in ("tc_abc_jkl", reader):
            async with talking(server) as socket:
                await socket.say(action="auth", key=wrong)
                await code_of(socket.connection)
        text = parts.instruments.text().decode()
    reasons = ("foreign-host", "wrong-key", "limit-refused", "limit-key", "limit-streams-per-client", "auth-failed")
    for reason in (*reasons, "too-little-scope"):
        assert f'tickcast_refused_total{{reason="{reason}"}} 1.0' in text, text
    assert f"refused 127.0.0.1: key {kept.id} reached the limit key" in caplog.messages
    assert f"refused 127.0.0.1: key {kept.id} lacks stream" in caplog.messages
    assert not any("tc_abc" in line for line in caplog.messages)
