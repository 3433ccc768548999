"""Answers of the database that are kept: here, and in Redis for other gateways."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from gateway.instruments import Instruments
from gateway.shared.answers import Answers, Question
from schemas.events import Bar, BarSoFar
from tests.gateway.recorder.events import example, spoken
from tests.gateway.samples import DAY_NS, NOON_NS, prediction
from tests.gateway.shared.linked import linked, new_link
from tests.gateway.test_history import get, parts_with
from tests.gateway.web import until
from tests.redis import RedisServer

QUESTION = Question("/bars/{ticker}", "AAPL 1d", 5.0)

LONG = {f"{path}_cache_seconds": 900 for path in ("history", "bars", "features", "accuracy")}


class Database:
    """Counts what it is asked."""

    def __init__(self, body: bytes = b"answer") -> None:
        self.body = body
        self.asked = 0
        self.answers = asyncio.Event()
        self.answers.set()

    async def __call__(self) -> bytes:
        self.asked += 1
        await self.answers.wait()
        return self.body


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def answers_of(link: Any = None, **changes: Any) -> Answers:
    return Answers(link or new_link(""), Instruments(CollectorRegistry()), **changes)


def counts(answers: Answers) -> dict[str, int]:
    samples = next(iter(answers._count.collect())).samples
    return {sample.labels["result"]: int(sample.value) for sample in samples if sample.name.endswith("_total")}


async def test_an_answer_is_given_again_until_its_time_is_up() -> None:
    clock, database = Clock(), Database()
    answers = answers_of(clock_s=clock)
    for step, asked in ((0, 1), (4.9, 1), (0.2, 2), (4.9, 2)):
        clock.now_s += step
        assert await answers.get(QUESTION, database) == b"answer"
        assert database.asked == asked
    assert counts(answers) == {"miss": 2, "hit": 2}


async def test_equal_questions_at_the_same_time_are_one_question_even_if_who_asked_first_goes() -> None:
    database, answers = Database(), answers_of()
    database.answers.clear()
    first, *others = [asyncio.create_task(answers.get(QUESTION, database)) for _ in range(20)]
    await until(lambda: database.asked, "the question")
    first.cancel()
    database.answers.set()
    assert await asyncio.gather(*others) == [b"answer"] * 19
    assert database.asked == 1
    assert counts(answers) == {"miss": 1, "joined": 19}


async def test_an_error_is_for_all_who_wait_and_is_not_kept() -> None:
    answers = answers_of()

    async def fails() -> bytes:
        await asyncio.sleep(0)
        raise ValueError("no database")

    ended = await asyncio.gather(*(answers.get(QUESTION, fails) for _ in range(3)), return_exceptions=True)
    assert [str(each) for each in ended] == ["no database"] * 3
    assert await answers.get(QUESTION, Database()) == b"answer"


async def test_what_was_used_least_recently_goes_first_and_what_is_too_large_is_not_kept() -> None:
    answers, database = answers_of(most_bytes=3 * 1_500), Database(bytes(1_000))
    of = [QUESTION._replace(asked=name) for name in ("one", "two", "three", "four")]
    for question in (of[0], of[1], of[2], of[0], of[3]):
        await answers.get(question, database)
    assert database.asked == 4
    for question, asked in ((of[0], 4), (of[3], 4), (of[1], 5)):
        await answers.get(question, database)
        assert database.asked == asked, question
    large = Database(bytes(5_000))
    for _ in range(2):
        await answers.get(QUESTION, large)
    assert large.asked == 2
    assert answers._bytes <= 3 * 1_500


async def test_without_a_time_nothing_is_kept() -> None:
    answers, database = answers_of(), Database()
    for _ in range(2):
        await answers.get(QUESTION._replace(seconds=0), database)
    assert database.asked == 2


async def test_another_gateway_finds_the_answer_in_redis_for_the_time_that_is_left(redis: RedisServer) -> None:
    async with linked(redis.url) as link, linked(redis.url) as other_link:
        database, clock = Database(), Clock()
        await answers_of(link).get(QUESTION._replace(seconds=600), database)
        await until_shared(link, 1)
        other = answers_of(other_link, clock_s=clock)
        assert await other.get(QUESTION._replace(seconds=600), database) == b"answer"
        assert (database.asked, counts(other)) == (1, {"shared": 1})
        [kept] = other._kept.values()
        assert clock.now_s < kept.until_s <= clock.now_s + 600
        elsewhere = answers_of(other_link, origin="another database")
        await elsewhere.get(QUESTION._replace(seconds=600), database)
        assert counts(elsewhere) == {"miss": 1}


async def until_shared(link: Any, count: int) -> None:
    """Wait until Redis holds so many."""
    async with asyncio.timeout(60):
        while await link.ask(lambda redis: redis.dbsize()) < count:
            await asyncio.sleep(0.01)


async def test_a_redis_that_dies_and_comes_back_in_mid_load_fails_no_question(redis: RedisServer) -> None:
    async with linked(redis.url, redis_answer_ms=50) as link:
        answers, database, stopped = answers_of(link), Database(), asyncio.Event()

        async def visitor(number: int) -> int:
            given = 0
            while not stopped.is_set():
                question = QUESTION._replace(asked=f"{number}/{given}", seconds=600)
                assert await answers.get(question, database) == b"answer"
                given += 1
                await asyncio.sleep(0)
            return given

        visitors = [asyncio.create_task(visitor(number)) for number in range(5)]
        for disturb in (redis.kill, redis.start, redis.freeze, redis.thaw):
            before = database.asked
            disturb()
            await until(lambda before=before: database.asked > before + 50, "further answers")
            if disturb in (redis.start, redis.thaw):
                await until(lambda: link.up, "Redis being back")
        stopped.set()
        assert all(await asyncio.gather(*visitors))
        link._answer_seconds = 30  # a busy machine is not what the rest is about
        await until(lambda: link.up, "Redis being back")
        await answers.get(QUESTION, database)
        await until_shared(link, 1)


@pytest.mark.parametrize(
    "path", ["history/AAPL", "bars/AAPL", "features/AAPL", "history/AAPL?horizon=5", "accuracy/AAPL?by=week"]
)
async def test_a_path_asks_the_database_once(path: str, tmp_path: Any) -> None:
    parts = parts_with(f"sqlite:///{tmp_path}/history.db", spoken(5), prediction("AAPL"), **LONG)
    asked = count_questions(parts)
    first = await get(parts, f"/{path}")
    assert await get(parts, f"/api/v1/{path.replace('AAPL', 'aapl')}") == first
    assert len(asked) == 1
    await get(parts, f"/{path}{'&' if '?' in path else '?'}{'weeks' if 'week' in path else 'limit'}=3")
    assert len(asked) == 2, "another limit is another question"
    all_paths, this_path = (await get(parts, "/performance/metrics"))["cache"]["database"].items()
    assert all_paths == ("*", {"hits": 1, "misses": 2, "hit_rate": pytest.approx(1 / 3)})
    assert this_path[0].startswith(f"/{path.split('/', maxsplit=1)[0]}")
    assert this_path[1] == all_paths[1]


def count_questions(parts: Any) -> list[None]:
    asked: list[None] = []
    ask: Callable[[Any], Awaitable[Any]] = parts.archive.ask

    async def counted(query: Any) -> Any:
        asked.append(None)
        return await ask(query)

    parts.archive.ask = counted
    return asked


async def test_that_nothing_is_recorded_is_kept_too_and_an_unknown_ticker_stays_unknown(tmp_path: Any) -> None:
    parts = parts_with(f"sqlite:///{tmp_path}/history.db", [], prediction("AAPL"), **LONG)
    asked = count_questions(parts)
    for _ in range(2):
        for path in ("history/{}", "bars/{}", "features/{}", "accuracy/{}?by=week"):
            await get(parts, "/" + path.format("AAPX"), 404)
            assert (await get(parts, "/" + path.format("AAPL")))["ticker"] == "AAPL"
    assert len(asked) == 8


async def test_a_kept_answer_has_the_bar_that_forms_now(tmp_path: Any) -> None:
    first_ns = example(Bar).start_ns
    said = spoken(5)

    def live(ticks: int, *, provisional: bool = True) -> Any:
        forming = BarSoFar(
            start_ns=first_ns,
            end_ns=first_ns + DAY_NS,
            **dict.fromkeys(("open", "high", "low", "close"), 1.0),
            volume=3.0,
            tick_count=ticks,
        )
        return prediction("AAPL", offset=ticks, provisional=provisional, bar=forming, as_of_ns=NOON_NS)

    parts = parts_with(f"sqlite:///{tmp_path}/history.db", said, live(1), **LONG)
    asked = count_questions(parts)
    for ticks in (1, 2):
        parts.latest.accept(live(ticks), ticks)
        document = await get(parts, "/bars/AAPL")
        assert (document["forming"]["tick_count"], len(document["bars"])) == (ticks, 5)
    parts.latest.accept(live(3, provisional=False), 3)
    assert (await get(parts, "/bars/AAPL"))["forming"] is None
    assert len(asked) == 1


async def test_two_gateways_of_one_database_ask_it_once(redis: RedisServer, tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path}/history.db"
    one, other = parts_with(url, spoken(5), **LONG), parts_with(url, [], **LONG)
    for parts in (one, other):
        object.__setattr__(parts, "settings", parts.settings.model_copy(update={"redis_url": SecretStr(redis.url)}))
    asked = [*map(count_questions, (one, other))]
    looking = [asyncio.create_task(parts.redis.run()) for parts in (one, other)]
    await until(lambda: one.redis.up and other.redis.up, "reaching Redis")
    for parts in (one, other):
        parts.redis._answer_seconds = 30
    first = await get(one, "/history/AAPL")
    await until_shared(one.redis, 1)
    assert await get(other, "/history/AAPL") == first
    assert [len(each) for each in asked] == [1, 0]
    for task in looking:
        task.cancel()
