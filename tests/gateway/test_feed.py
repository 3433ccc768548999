"""The views are what the topics say: after every start, through outages, and beside garbage."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from gateway.feed import AnotherLogError, Feed
from gateway.intake import Intake
from gateway.mailbox import Mailbox
from gateway.parts import Parts
from gateway.sender import RecordSender
from gateway.settings import GatewaySettings
from schemas.close_codes import CloseCode
from schemas.events import Prediction, ServiceState
from schemas.status import StatusReporter
from tests.brokers import BrokerUnderTest
from tests.gateway.boards import board
from tests.gateway.proxy import proxy_to
from tests.gateway.samples import DAY_NS, NOON_NS, bar, make_parts, model_event, prediction, status
from tests.gateway.web import DEADLINE_SECONDS, until


@dataclass
class Fed:
    """Parts that a feed fills."""

    parts: Parts
    feed: "asyncio.Task[None]"
    sender: RecordSender


@contextlib.asynccontextmanager
async def fed(settings: GatewaySettings) -> AsyncIterator[Fed]:
    """Run feed, sender and status report as the service does."""
    parts = make_parts(caught_up=False, **settings.model_dump(exclude={"instance", "gateway_port"}))
    sender = RecordSender(parts.settings, parts.instruments)
    reporter = StatusReporter(parts.board, sender.status)
    works = (Feed(parts, Intake(parts, sender.dead_letter)).run(), sender.run())
    tasks = [asyncio.create_task(work) for work in works]
    reporter.start()
    try:
        yield Fed(parts, tasks[0], sender)
    finally:
        await asyncio.to_thread(reporter.stop)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def write(broker: BrokerUnderTest, *events: Prediction) -> None:
    for event in events:
        await asyncio.to_thread(broker.produce, "predictions-latest", event, key=event.ticker)


async def test_the_view_is_right_after_every_start_and_follows_what_comes(broker: BrokerUnderTest) -> None:
    tickers = [f"T{number}" for number in range(12)]
    await write(broker, *(prediction(ticker, offset) for offset in range(3) for ticker in tickers))
    settings = broker.settings(GatewaySettings)
    async with fed(settings) as first:
        await until(lambda: first.parts.latest.caught_up, "catching up")
        assert {e.ticker: e.order[0] for e in first.parts.latest.entries()} == dict.fromkeys(tickers, 2)
        await write(broker, prediction("T3", 9))
        await until(lambda: _is(first, 9, "T3"), "an update")
    async with fed(settings) as second:
        await until(lambda: second.parts.latest.caught_up, "catching up again")
        assert second.parts.latest.all_bytes() == first.parts.latest.all_bytes()


def _is(given: Fed, offset: int, ticker: str) -> bool:
    entry = given.parts.latest.get(ticker)
    return entry is not None and entry.order[0] == offset


async def test_empty_topics_are_caught_up_at_once(broker: BrokerUnderTest) -> None:
    async with fed(broker.settings(GatewaySettings)) as given:
        await until(lambda: given.parts.latest.caught_up, "catching up with nothing")
        await until(lambda: given.parts.board.state is ServiceState.READY, "being ready")


async def test_garbage_goes_to_dead_letters_and_the_good_beside_it_is_kept(broker: BrokerUnderTest) -> None:
    await write(broker, prediction("AAPL", 1))
    wrong: list[bytes | Prediction] = [b"\xff\x00", b'{"id": 1}', b"[" * 50_000, prediction("AAPL", 5, horizons=[])]
    broker.produce("predictions-latest", *wrong, key="AAPL")
    broker.produce("service-status", b"garbage", key="x/y")
    broker.produce("models", b"garbage", model_event(horizons=[2**53]), key="z")
    broker.produce("scores", b"garbage", key="AAPL")
    await write(broker, prediction("AAPL", 2))
    async with fed(broker.settings(GatewaySettings)) as given:
        await until(lambda: given.parts.latest.caught_up, "catching up")
        assert _is(given, 2, "AAPL")
        await given.sender.idle()
        letters = broker.read("dead-letters", len(wrong) + 4)
    assert len({letter.headers["dead_letter_id"] for letter in letters}) == len(wrong) + 4
    assert [letter.value for letter in letters if letter.headers["dead_letter_origin"] == b"predictions-latest"][
        :2
    ] == [
        b"\xff\x00",
        b'{"id": 1}',
    ]
    assert all(letter.headers["dead_letter_reason"] for letter in letters)
    assert b"tickcast_dead_letters_total{reason=" in given.parts.instruments.text()


async def test_a_tombstone_makes_the_ticker_unknown(embedded: BrokerUnderTest) -> None:
    await write(embedded, prediction("AAPL", 1), prediction("IBM", 1))
    embedded.produce("predictions-latest", None, key="AAPL")
    async with fed(embedded.settings(GatewaySettings)) as given:
        await until(lambda: given.parts.latest.caught_up, "catching up")
        assert [entry.ticker for entry in given.parts.latest.entries()] == ["IBM"]


async def test_the_other_services_and_the_models_are_known_and_the_gateway_says_how_it_is(
    broker: BrokerUnderTest,
) -> None:
    alive, forgotten = status("ingestor"), status("predictor", updated_at_ns=NOON_NS - DAY_NS)
    for one in (alive, forgotten):
        broker.produce("service-status", one, key=f"{one.service}/{one.instance}")
    broker.produce("models", model_event("set-1", 1), key="set-1")
    broker.produce("models", model_event("set-2", 2), key="set-2")
    async with fed(broker.settings(GatewaySettings)) as given:
        await until(lambda: given.parts.board.state is ServiceState.READY, "being ready")
        assert json.loads(given.parts.models.body)["serving"] == "set-2"
        assert "ingestor" in given.parts.services.document(NOON_NS)
        assert "predictor" not in given.parts.services.document(NOON_NS)
        records = await asyncio.to_thread(
            broker.read,
            "service-status",
            lambda found: any(r.key == b"gateway/test" and r.event().state == "ready" for r in found),
        )
    assert records


async def test_an_outage_leaves_the_view_says_degraded_and_heals(
    embedded: BrokerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.feed.UNREACHABLE_AFTER_SECONDS", 1.0)
    await write(embedded, prediction("AAPL", 1))
    async with proxy_to(embedded.bootstrap_servers) as proxy:
        settings = embedded.settings(GatewaySettings, kafka_bootstrap_servers=proxy.address)
        async with fed(settings) as given:
            board = given.parts.board
            await until(lambda: board.state is ServiceState.READY, "being ready")
            await proxy.go()
            await until(lambda: board.state is ServiceState.DEGRADED, "noticing the outage")
            assert given.parts.latest.caught_up
            assert _is(given, 1, "AAPL")
            await write(embedded, prediction("AAPL", 2), prediction("IBM", 1))
            await proxy.come()
            await until(lambda: _is(given, 2, "AAPL") and _is(given, 1, "IBM"), "what was missed")
            await until(lambda: board.state is ServiceState.READY, "being ready again")
            assert not given.feed.done()


async def test_a_broker_that_is_away_at_the_start_is_waited_for(embedded: BrokerUnderTest) -> None:
    await write(embedded, prediction("AAPL", 1))
    async with proxy_to(embedded.bootstrap_servers) as proxy:
        settings = embedded.settings(GatewaySettings, kafka_bootstrap_servers=proxy.address)
        await proxy.go()
        async with fed(settings) as given:
            await until(lambda: "Kafka" in given.parts.board.event().message, "noticing")
            assert given.parts.board.state is ServiceState.CATCHING_UP
            await proxy.come()
            await until(lambda: given.parts.latest.caught_up and _is(given, 1, "AAPL"), "catching up")


class ShorterLog:
    """What is asked of a consumer at a new start, where every partition ends at 5."""

    async def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 5)

    async def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)

    def partitions_for_topic(self, _: str) -> set[int]:
        return {0}

    def assign(self, _: list[TopicPartition]) -> None: ...

    def seek(self, _: TopicPartition, offset: int) -> None:
        assert offset <= 5


@pytest.mark.parametrize(("read_up_to", "another"), [(4, False), (5, False), (6, True)])
async def test_a_log_that_ends_before_what_was_read_is_another_one(read_up_to: int, another: bool) -> None:
    parts = make_parts()
    feed = Feed(parts, Intake(parts, lambda _: None))
    feed._next_offsets[TopicPartition("predictions-latest", 0)] = read_up_to
    with pytest.raises(AnotherLogError) if another else contextlib.nullcontext():
        await feed._assign(ShorterLog())


async def test_of_bars_only_the_end_is_read_and_then_every_one(
    broker: BrokerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.feed.OLD_RECORDS_AT_START", 2)
    broker.produce("bars", *(bar("AAPL", offset, bar_index=offset) for offset in range(6)), key="AAPL")
    async with fed(broker.settings(GatewaySettings)) as given:
        bars = given.parts.bars
        await until(lambda: given.parts.latest.caught_up, "catching up")
        assert len(bars.held) == 2
        broker.produce("bars", bar("AAPL", 6, bar_index=6), key="AAPL")
        await until(lambda: (entry := bars.view.get("AAPL")) is not None and entry.seq == 6, "the next bar")
        after = bars.held.after("AAPL", 4, NOON_NS)
        assert after is not None
        assert [json.loads(entry.item)["prev"] for entry in after] == [4, 5]


async def test_scoreboards_are_read_from_the_end_of_their_topic_and_followed(
    broker: BrokerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.feed.OLD_RECORDS_AT_START", 1)
    broker.produce("scores", b"garbage that is never read", board(source_offset=1), key="AAPL")
    async with fed(broker.settings(GatewaySettings)) as given:
        await until(lambda: given.parts.latest.caught_up, "catching up")
        assert given.parts.scores.get("AAPL") == board(source_offset=1)
        broker.produce("scores", board(source_offset=2), key="AAPL")
        await until(lambda: given.parts.scores.get("AAPL") == board(source_offset=2), "the next board")


async def test_every_replica_says_the_same_place_and_epoch_of_a_record(broker: BrokerUnderTest) -> None:
    await write(broker, *(prediction("AAPL", offset) for offset in range(3)))
    settings = broker.settings(GatewaySettings)
    async with fed(settings) as first, fed(settings) as second:
        for given in (first, second):
            await until(lambda: given.parts.latest.caught_up, "catching up")  # noqa: B023 - awaited at once
        streams = [given.parts.predictions for given in (first, second)]
        entries = [stream.view.get("AAPL") for stream in streams]
        assert len({stream.epoch for stream in streams}) == 1
        assert len(streams[0].epoch) == 22
        assert streams[0].epoch != first.parts.bars.epoch
        assert [entry and json.loads(entry.item)["prev"] for entry in entries] == [1, 1]


async def test_a_topic_made_anew_is_noticed_and_ends_every_conversation(
    kafka: BrokerUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.feed.EPOCH_CHECK_SECONDS", 0.2)
    await write(kafka, prediction("AAPL", 1))
    async with fed(kafka.settings(GatewaySettings)) as given:
        await until(lambda: given.parts.latest.caught_up, "catching up")
        epoch = given.parts.predictions.epoch
        mailbox = Mailbox(10)
        given.parts.hub.join(given.parts.predictions.audience, mailbox)
        await asyncio.to_thread(kafka.replace_topic, "predictions-latest")
        await write(kafka, *(prediction("AAPL", offset) for offset in range(2, 9)))
        await until(given.feed.done, "noticing")
        with pytest.raises(AnotherLogError):
            given.feed.result()
        assert mailbox.closed is CloseCode.LOG_REPLACED
    async with fed(kafka.settings(GatewaySettings)) as again:
        await until(lambda: again.parts.latest.caught_up, "catching up with the new topic")
        assert again.parts.predictions.epoch != epoch


async def test_another_epoch_is_another_log_however_long_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.feed.EPOCH_CHECK_SECONDS", 0.0)
    parts, asked = make_parts(), 0

    async def epochs(names: list[str]) -> dict[str, str]:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise KafkaConnectionError("an outage, which says nothing")
        return dict.fromkeys(names, "first" if asked < 4 else "second")

    feed = Feed(parts, Intake(parts, lambda _: None), epochs)
    await feed._check_epochs()
    with pytest.raises(AnotherLogError):
        await asyncio.wait_for(feed._watch_epochs(), DEADLINE_SECONDS)
    assert (asked, parts.predictions.epoch, parts.bars.epoch) == (4, "first", "first")
