"""Who says too much on a WebSocket is told so, and sent away when he does not listen."""

from gateway.limits.buckets import SECOND_NS, Limit, LocalBuckets
from gateway.limits.talk import PATIENCE, Talk
from schemas.close_codes import CloseCode
from tests.gateway.access.test_gate import code_of
from tests.gateway.limits.test_buckets import Clock
from tests.gateway.samples import make_parts, prediction
from tests.gateway.web import running, talking


def test_only_refusals_in_a_row_end_a_connection() -> None:
    clock = Clock()
    buckets = LocalBuckets(Limit("messages", 1.0, 1), clock)
    ours, theirs = Talk(buckets, "ours"), Talk(buckets, "theirs")
    for _ in range(2):
        assert ours.refusal() is None
        for _ in range(PATIENCE):
            assert not ours.is_too_much
            assert ours.refusal() is not None
        assert ours.is_too_much
        clock.now_ns += SECOND_NS
    assert theirs.refusal() is None


async def test_a_message_too_many_changes_nothing_and_a_flood_is_closed() -> None:
    parts = make_parts(
        prediction("AAPL", 1), limit_requests=True, limit_messages_per_second=0.001, limit_messages_burst=1
    )
    async with running(parts) as server, talking(server) as client, talking(server) as other:
        await client.say(action="subscribe", tickers=["AAPL"])
        await client.hear_kind("subscribed")
        await client.hear_kind("snapshot")
        await client.say(action="unsubscribe", tickers=["AAPL"])
        assert (await client.hear_kind("error"))["code"] == "rate_limited"
        [subscriber, _] = parts.hub
        assert subscriber.listed() == ["AAPL"]
        for _ in range(PATIENCE - 1):
            await client.say(action="nothing")
        assert await code_of(client.connection) == CloseCode.TOO_MANY_MESSAGES
        await other.say(action="subscribe", tickers=["AAPL"])
        await other.hear_kind("subscribed")
