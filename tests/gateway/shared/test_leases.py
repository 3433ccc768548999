"""Token buckets that gateways share, on a real Redis: nobody waits, and nobody gets more than the limit and a slice."""

import asyncio
import logging
import time
from random import Random
from typing import Any

import pytest

from gateway.limits.buckets import SECOND_NS, Limit
from gateway.shared.leases import IDLE_NS, LeasedBuckets, LeaseDesk
from gateway.shared.link import AwayError
from gateway.shared.presence import Presence
from gateway.shared.seats import make_shared_seats
from tests.gateway.samples import make_parts
from tests.gateway.shared.linked import linked, new_link
from tests.gateway.web import until
from tests.redis import RedisServer

BURST = 100
SLICE = BURST // 2
#: So slow that nothing comes back within a test.
STILL = Limit("key", 0.001, BURST)


class Clock:
    def __init__(self) -> None:
        self.now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


def leased(link: Any, limit: Limit = STILL, gateways: int = 2, **changes: Any) -> LeasedBuckets:
    return LeasedBuckets(limit, link, lambda: gateways, **changes)


def spend(buckets: LeasedBuckets, times: int, owner: str = "somebody") -> int:
    """Ask so often, and count what was given."""
    return sum(buckets.take(owner)[0] >= 0 for _ in range(times))


async def spend_all(buckets: LeasedBuckets) -> int:
    """Ask until nothing is given even after Redis was asked."""
    given = 0
    while got := spend(buckets, BURST):
        given += got
        await buckets.settle()
    return given


async def test_one_gateway_of_two_can_spend_the_whole_burst_and_no_more(redis: RedisServer) -> None:
    async with linked(redis.url) as link:
        buckets = leased(link)
        assert buckets.take("somebody") == (SLICE - 1, STILL.interval_ns)
        assert 1 + await spend_all(buckets) == BURST
        left, wait_ns = buckets.take("somebody")
        assert left == -1
        assert wait_ns > 0
        assert spend(buckets, BURST, "another") == SLICE, "everybody has a bucket of his own"


async def test_two_gateways_go_beyond_the_limit_by_a_slice_at_most(redis: RedisServer, rng: Random) -> None:
    async with linked(redis.url) as link:
        for number in range(40):
            both, given, owner = [leased(link), leased(link)], 0, f"owner {number}"
            for _ in range(rng.randrange(5, 60)):
                given += spend(rng.choice(both), rng.randrange(1, 40), owner)
                if rng.random() < 0.5:
                    await rng.choice(both).settle()
            assert given <= BURST + SLICE
            for _ in range(6):
                for each in both:
                    given += spend(each, BURST, owner)
                    await each.settle()
            assert BURST <= given <= BURST + SLICE


async def test_what_was_taken_in_advance_is_paid_back(redis: RedisServer) -> None:
    async with linked(redis.url) as link:
        first, second = leased(link), leased(link)
        assert await spend_all(first) == BURST
        assert await spend_all(second) == SLICE, "nobody waits for Redis, so the second gives what it may hold"
        level = await link.ask(lambda redis: redis.hget(f"{link.prefix}:limit:key:somebody", "level"))
        assert float(level or 0) == pytest.approx(-SLICE, abs=0.1)
        again = leased(link)
        assert await spend_all(again) == SLICE, "a third gateway, too"


async def test_who_asks_no_more_leaves_his_slice_to_the_others(redis: RedisServer) -> None:
    async with linked(redis.url) as link:
        clock = Clock()
        first, second = leased(link, clock_ns=clock), leased(link)
        assert spend(first, 1) == 1
        await first.settle()
        clock.now_ns += IDLE_NS
        for _ in range(2):  # filled first, then given back
            await first.settle()
        assert len(first) == 0
        assert await spend_all(second) == BURST - 1


async def test_more_gateways_hold_less_each(redis: RedisServer) -> None:
    async with linked(redis.url) as link:
        gateways = [1]
        first = LeasedBuckets(STILL, link, lambda: gateways[0])
        assert first.take("somebody")[0] == BURST - 1
        gateways[0] = 4
        await first.settle()
        assert first.take("somebody")[0] == BURST // 4 - 1


async def test_without_redis_each_gateway_enforces_its_share() -> None:
    clock, limit = Clock(), Limit("key", 10.0, 20)
    buckets = leased(new_link(""), limit, clock_ns=clock)
    assert spend(buckets, 50) == 10
    for _ in range(10):
        clock.now_ns += SECOND_NS
        assert spend(buckets, 50) == 5
    clock.now_ns += 100 * SECOND_NS
    assert spend(buckets, 50) == 10
    with pytest.raises(AwayError):
        await buckets.settle()


@pytest.mark.parametrize("kept", [True, False], ids=["Redis kept it", "Redis forgot it"])
async def test_after_an_outage_the_bucket_is_taken_for_empty(kept: bool, redis: RedisServer) -> None:
    async with linked(redis.url, redis_answer_ms=50) as link:
        clock = Clock()
        buckets = leased(link, clock_ns=clock)
        link._answer_seconds = 30  # before the outage, a busy machine has its time
        spend(buckets, 10)
        await buckets.settle()
        link._answer_seconds = 0.05
        (redis.freeze if kept else redis.kill)()
        await until_away(link)
        spend(buckets, BURST)
        clock.now_ns += 2 * BURST * STILL.interval_ns
        assert spend(buckets, BURST) == SLICE, "it has filled up by itself"
        (redis.thaw if kept else redis.start)()
        await until(lambda: link.up, "Redis being back")
        link._answer_seconds = 30
        await buckets.settle()
        assert await spend_all(buckets) == 0, "what was spent meanwhile is not given again"


async def test_a_redis_that_answers_and_refuses_to_write_leaves_each_gateway_its_share(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with linked(redis.url) as link:
        desk, presence = LeaseDesk(link, lambda: 2), Presence(link, 2)
        made: list[Any] = [desk.make_buckets(Limit(name, 1_000.0, BURST)) for name in ("key", "client")]
        seats = make_shared_seats(presence, "streams", 4)
        spent = [spend(buckets, BURST) for buckets in made]
        assert all(SLICE <= count < BURST for count in spent)
        await link.ask(lambda server: server.config_set("maxmemory", 1))
        running = [asyncio.create_task(work.run()) for work in (desk, presence)]
        await until(lambda: all(buckets.refused for buckets in made) and presence.alone, "both being refused")
        assert link.up
        for buckets in made:
            await until(lambda buckets=buckets: buckets.take("somebody")[0] >= 0, "its share coming back")
        assert [seats.take("10.0.0.1") for _ in range(3)] == [True, True, False], "the share of one of two"
        await link.ask(lambda server: server.config_set("maxmemory", 0))
        await until(lambda: not any(buckets.refused for buckets in made) and not presence.alone, "Redis writing again")
        for task in running:
            task.cancel()
    said = [line for line in caplog.messages if "limits" in line]
    assert said == [
        "Redis refuses to keep limits: this gateway enforces its share until it does",
        "Redis keeps limits",
    ]


async def test_workers_without_redis_share_each_limit_between_them() -> None:
    desk = LeaseDesk(new_link(""), lambda: 4)
    assert desk.make_buckets(Limit("key", 10.0, 22)).limit == Limit("key", 2.5, 5)
    assert desk.make_buckets(Limit("few", 1.0, 3)).limit == Limit("few", 0.25, 1)
    presence = Presence(new_link(""), 4)
    assert [make_shared_seats(presence, "streams", most).maximum for most in (100, 3)] == [25, 1]
    parts = make_parts(gateway_workers=2, limit_streams_per_client=10)
    assert parts.limits._client_seats.maximum == 5
    assert parts.leases.make_buckets(Limit("key", 10.0, 20)).limit.burst == 10


async def until_away(link: Any) -> None:
    while link.up:
        with pytest.raises(AwayError):
            await link.ask(lambda redis: redis.ping())


async def test_owners_are_forgotten_beyond_a_number_the_least_recent_first(redis: RedisServer) -> None:
    async with linked(redis.url) as link:
        buckets = leased(link, maximum_buckets=3)
        for owner in ("a", "b", "c", "a", "d"):
            buckets.take(owner)
        await buckets.settle()
        assert list(buckets._slices) == ["c", "a", "d"]


async def test_limits_hold_while_redis_dies_and_comes_back_in_mid_load(redis: RedisServer) -> None:
    limit = Limit("key", 200.0, BURST)
    async with linked(redis.url, redis_answer_ms=50) as link, linked(redis.url, redis_answer_ms=50) as other:
        desks = [LeaseDesk(each, lambda: 2) for each in (link, other)]
        both: list[Any] = [desk.make_buckets(limit) for desk in desks]
        running = [asyncio.create_task(desk.run()) for desk in desks]
        given, began_s = 0, time.monotonic()

        async def load(reached: Any, what: str) -> None:
            nonlocal given
            async with asyncio.timeout(60):
                goal = given + BURST
                while given < goal or not reached():
                    given += sum(buckets.take("somebody")[0] >= 0 for buckets in both)
                    await asyncio.sleep(0)

        def settled() -> bool:
            return all(buckets._slices["somebody"].bucket == "known" for buckets in both)

        await load(settled, "leases")
        for away, back in ((redis.kill, redis.start), (redis.freeze, redis.thaw)):
            away()
            await load(lambda: not link.up and not other.up, "going on alone")
            back()
            await load(lambda: link.up and other.up and settled(), "leases again")
        elapsed_s = time.monotonic() - began_s
        for task in running:
            task.cancel()
        assert given <= BURST + SLICE + limit.per_second * elapsed_s


async def test_gateways_know_of_each_other_and_of_their_connections(redis: RedisServer) -> None:
    async with linked(redis.url) as link, linked(redis.url) as other:
        one, two = Presence(link), Presence(other)
        here, there = (make_shared_seats(each, "streams", 4) for each in (one, two))
        running = [asyncio.create_task(each.run()) for each in (one, two)]
        await until(lambda: (one.gateways, two.gateways) == (2, 2), "both seeing both")
        assert [there.take("10.0.0.1") for _ in range(3)] == [True] * 3
        await until(lambda: one.connections_elsewhere("streams:10.0.0.1") == 3, "the other's connections")
        assert [here.take("10.0.0.1") for _ in range(2)] == [True, False]
        assert here.take("10.0.0.2"), "another has seats of his own"
        redis.kill()
        await until_away(link)
        assert (one.gateways, one.alone) == (2, True)
        assert [here.take("10.0.0.1") for _ in range(2)] == [True, False], "the share of one of two"
        redis.start()
        there.give_back("10.0.0.1")
        await until(lambda: one.connections_elsewhere("streams:10.0.0.1") == 2, "the other's connections again")
        assert not here.take("10.0.0.1")
        running[1].cancel()
        await until(lambda: one.gateways == 1, "the other's end")
        await until(lambda: here.take("10.0.0.1"), "its seats being free")
        running[0].cancel()


async def test_what_a_gateway_of_another_version_says_of_its_connections_is_left_out(redis: RedisServer) -> None:
    async with linked(redis.url) as link:
        here, stranger = Presence(link), Presence(link)
        await stranger._tell()
        await link.ask(lambda server: server.set(stranger._place(stranger._name), b"\xc1 of another version"))
        await here._tell()
        assert (here.gateways, here.connections_elsewhere("streams:10.0.0.1")) == (2, 0)
