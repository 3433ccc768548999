"""The ingestor as a process: played, cut off, started again."""

import re
import signal
import socket
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from deploy.embedded_broker import start_embedded_broker
from ingestor.frames import FrameBuilder, NumberedFrame, ResumePoint
from ingestor.positions import PositionText
from ingestor.sources.daily_prices import load_daily_bars
from ingestor.sources.pace import Pace
from ingestor.sources.replay import WARM_UP_BARS, ReplaySource
from ingestor.sources.replay_options import ReplayOptions
from schemas.errors import EXIT_STOP_AND_SAY
from schemas.events import Origin, ServiceState, TickFrame
from schemas.partitioning import partition_of
from schemas.times import from_rfc3339
from schemas.topics import DEAD_LETTERS, SERVICE_STATUS, TICKS
from tests.brokers import BrokerUnderTest, Record, Server
from tests.ingestor.fold import FoldedBar, collect, fold, ticks_of_frames
from tests.processes import Processes, ServiceProcess

pytestmark = pytest.mark.integration

_DAY_NS = 86_400 * 10**9
_START = from_rfc3339("2010-01-04")
_END = "2010-06-30"
_END_NS = from_rfc3339("2010-07-01")


@pytest.fixture
def start(broker: BrokerUnderTest, processes: Processes) -> Callable[..., ServiceProcess]:
    """Start an ingestor on the broker; settings by keyword."""

    def start_one(**settings: object) -> ServiceProcess:
        given = {"speed": 0, "end": _END, **settings}
        return processes.start("ingestor", environment=broker.environment(**given))

    return start_one


def _frames(broker: BrokerUnderTest) -> list[NumberedFrame]:
    return [NumberedFrame(record.partition, record.event()) for record in broker.read(TICKS)]


def _ended(service: ServiceProcess) -> Callable[[], bool]:
    return lambda: service.health().get("state") == ServiceState.ENDED


def _play_to_the_end(service: ServiceProcess) -> None:
    service.wait_for(_ended(service), what="the end of the data")
    assert service.stop() == 0


def _expected_bars() -> dict[str, dict[int, FoldedBar]]:
    bars = load_daily_bars()
    first = sorted(day for day in bars["IBM"].start_ns.tolist() if day < _START)[-WARM_UP_BARS]
    expected = {}
    for ticker, all_columns in bars.items():
        columns = all_columns.between(first, _END_NS)
        rows = zip(columns.open, columns.high, columns.low, columns.close, columns.volume, strict=True)
        folded = {day: FoldedBar(*row, 4) for day, row in zip(columns.start_ns.tolist(), rows, strict=True)}
        if folded:
            expected[ticker] = folded
    return expected


def _stream(frames: list[NumberedFrame], partition: int) -> list[tuple[object, ...]]:
    """Give what a partition says, however it was cut into frames."""
    said: list[tuple[object, ...]] = []
    for number, frame in frames:
        if number == partition:
            rows = zip(frame.tickers, frame.times_ns, frame.prices, frame.sizes, strict=True)
            said += [(*row, frame.origin) for row in rows]
            said += [("watermark", frame.watermark_ns)] if frame.watermark_ns is not None else []
    return said


@cache
def _undisturbed() -> list[NumberedFrame]:
    source = ReplaySource(load_daily_bars(), Pace(0), ReplayOptions(_START, _END_NS))
    builder = FrameBuilder("replay", [ResumePoint()] * 4, 64, PositionText(source.content).write)
    return [frame for moment in collect(source.ticks(None, {})) for frame in builder.add(moment, 1)]


def _require_undisturbed(frames: list[NumberedFrame]) -> None:
    whole = _undisturbed()
    for partition in range(4):
        own = [frame for number, frame in frames if number == partition]
        assert [frame.sequence for frame in own] == list(range(len(own)))
        assert _stream(frames, partition) == _stream(whole, partition)
    assert fold(ticks_of_frames(frames), _DAY_NS) == _expected_bars()


def test_the_replay_comes_to_the_topic_whole_and_the_service_says_that_it_has_ended_and_lives_on(
    broker: BrokerUnderTest, start: Callable[..., ServiceProcess]
) -> None:
    service = start()
    service.wait_for(_ended(service), what="the end of the data")
    assert service.get("/health")[0] == 200
    assert 'tickcast_playing_sources{source="replay"} 0.0' in service.get("/metrics")[1]
    frames = _frames(broker)
    _require_undisturbed(frames)
    assert all(len({partition_of(t, 4) for t in f.tickers} | {number}) == 1 for number, f in frames)
    service.wait_for(
        lambda: service.metric("tickcast_ticks_ingested_total") == len(ticks_of_frames(frames)), what="all counted"
    )
    said = [record.event() for record in broker.read(SERVICE_STATUS, _says_ended)]
    assert {status.service for status in said} == {"ingestor"}
    assert service.output().count("the data has ended") == 1
    assert service.stop() == 0
    last = broker.read(SERVICE_STATUS)[-1].event()
    assert last.state == ServiceState.STOPPING


def _says_ended(records: list[Record]) -> bool:
    return any(record.event().state == ServiceState.ENDED for record in records)


def test_a_second_start_after_the_end_says_nothing_again(
    broker: BrokerUnderTest, start: Callable[..., ServiceProcess]
) -> None:
    _play_to_the_end(start())
    ends = broker.ends(TICKS)
    _play_to_the_end(start(speed=3))
    assert broker.ends(TICKS) == ends


def test_a_later_end_continues(broker: BrokerUnderTest, start: Callable[..., ServiceProcess]) -> None:
    _play_to_the_end(start(end="2010-02-26"))
    _play_to_the_end(start())
    _require_undisturbed(_frames(broker))


@pytest.mark.chaos
def test_killed_again_and_again_nothing_is_lost_and_nothing_is_said_twice(
    broker: BrokerUnderTest, start: Callable[..., ServiceProcess]
) -> None:
    for records in (1_500, 2_050, 2_120):
        service = start(speed=10, frame_ticks=3)
        broker.read(TICKS, records)
        service.kill()
    _require_not_at_the_end(_frames(broker))
    _play_to_the_end(start())
    _require_undisturbed(_frames(broker))


def test_partitions_cut_off_at_different_places_each_go_on_exactly(
    broker: BrokerUnderTest, start: Callable[..., ServiceProcess]
) -> None:
    kept = {0: 0, 1: 201, 2: 520, 3: 547}
    for partition, count in kept.items():
        own = [frame for number, frame in _undisturbed() if number == partition]
        broker.produce(TICKS, *own[:count], partition=partition)
    other = TickFrame(
        source="other", sequence=0, position="x", tickers=[], times_ns=[], prices=[], sizes=[], ingested_at_ns=1
    )
    broker.produce(TICKS, *[other] * 100, b"garbage", partition=2)
    _play_to_the_end(start())
    records = [record for record in broker.read(TICKS) if record.value != b"garbage"]
    frames = [NumberedFrame(record.partition, record.event()) for record in records]
    _require_undisturbed([frame for frame in frames if frame.frame.source == "replay"])


def test_a_stop_in_the_middle_sends_what_it_has_and_the_next_start_goes_on(
    broker: BrokerUnderTest, start: Callable[..., ServiceProcess]
) -> None:
    service = start(speed=5, linger_ms=1_000)
    broker.read(TICKS, 2_050)
    assert service.stop() == 0
    assert not ticks_lost(_frames(broker))
    _require_not_at_the_end(_frames(broker))
    _play_to_the_end(start())
    _require_undisturbed(_frames(broker))


def _require_not_at_the_end(frames: list[NumberedFrame]) -> None:
    """Check that the play was cut off, or the test shows nothing."""
    said, whole = (sum(len(_stream(all_frames, n)) for n in range(4)) for all_frames in (frames, _undisturbed()))
    assert said < whole, "the play had come to its end already"


def ticks_lost(frames: list[NumberedFrame]) -> bool:
    """Tell whether what was played is not a beginning of the undisturbed play."""
    whole = _undisturbed()
    return any(_stream(frames, number) != _stream(whole, number)[: len(_stream(frames, number))] for number in range(4))


@pytest.fixture(scope="module")
def played_before(embedded_address: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerUnderTest]:
    """Give the embedded broker with a week of the replay on it, which no refused start touches."""
    broker = BrokerUnderTest(embedded_address)
    broker.create_topics()
    processes = Processes(tmp_path_factory.mktemp("played_before"))
    _play_to_the_end(processes.start("ingestor", environment=broker.environment(speed=0, end="2010-01-08")))
    ends = broker.ends(TICKS)
    yield broker
    assert broker.ends(TICKS) == ends


@pytest.mark.xdist_group("played-before")
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"start": "2010-01-05"}, r"start 2010-01-04, not 2010-01-05.*--fresh"),
        ({"tickers": "AAPL,IBM"}, r"tickers \*, not AAPL,IBM.*--fresh"),
        ({"loop": 1}, r"loop off, not on.*--fresh"),
        ({"source": "simulated"}, r"played by replay, not simulated.*--fresh"),
        ({"interval": "1h"}, r"TICKCAST_INTERVAL: replay plays daily bars, not 1h: set 1d"),
        ({"tickers": "TSLA"}, r"do not hold TSLA"),
        ({"partitions": 7}, r"4 partitions, not 7"),
        ({"topic_prefix": "nowhere."}, r"topic nowhere.ticks is missing"),
        ({"source": "file:nothing.csv"}, r"nothing.csv cannot be read"),
    ],
)
def test_what_does_not_fit_the_kept_data_or_the_broker_stops_it_with_one_line(
    played_before: BrokerUnderTest, processes: Processes, settings: dict[str, object], said: str
) -> None:
    environment = played_before.environment(**{"speed": 0, "end": "2010-01-08", **settings})
    service = processes.start("ingestor", environment=environment)
    assert service.wait() == EXIT_STOP_AND_SAY
    line = service.output().splitlines()[-1]
    assert re.search(said, line), service.output()
    assert line.startswith("ingestor: ")


def test_no_broker_at_all_is_said_in_one_line_and_may_be_tried_again(processes: Processes) -> None:
    environment = {"TICKCAST_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1", "TICKCAST_KAFKA_ANSWER_SECONDS": "0.5"}
    service = processes.start("ingestor", environment=environment)
    assert service.wait() == 1
    assert "ingestor: no Kafka broker answers at 127.0.0.1:1" in service.output()
    assert len(service.output().splitlines()) == 1


def test_a_source_with_a_name_of_its_own_plays_beside_another(
    broker: BrokerUnderTest, start: Callable[..., ServiceProcess]
) -> None:
    _play_to_the_end(start(end="2010-01-08"))
    _play_to_the_end(start(end="2010-01-08", tickers="IBM", source_name="second"))
    names = {frame.source for _, frame in _frames(broker)}
    assert names == {"replay", "second"}


def test_bad_rows_of_a_file_are_dead_lettered_once_with_their_lines_and_the_rest_is_played(
    broker: BrokerUnderTest, start: Callable[..., ServiceProcess], tmp_path: Path
) -> None:
    path = tmp_path / "ticks.csv"
    good = [f"AAPL,{1_704_205_800 + second},{100 + second},1" for second in range(50)]
    path.write_text("\n".join(["ticker,timestamp,price,size", *good[:20], "AAPL,x,1,1", *good[20:], "oops"]))
    settings = {"source": f"file:{path}", "interval": "1m", "end": ""}
    service = start(**settings)
    service.wait_for(_ended(service), what="the end of the data")
    assert service.metric("tickcast_dead_letters_total") == 2
    assert service.stop() == 0
    letters = sorted(broker.read(DEAD_LETTERS), key=lambda letter: letter.headers["dead_letter_position"])
    assert [(letter.value or b"").strip() for letter in letters] == [b"AAPL,x,1,1", b"oops"]
    assert [letter.headers["dead_letter_position"] for letter in letters] == [b"22", b"53"]
    assert {letter.headers["dead_letter_origin"] for letter in letters} == {b"source:file"}
    assert "row 22: timestamp: 'x' is not a time" in service.output()
    prices = [price for _, _, price, _ in ticks_of_frames(_frames(broker))]
    assert prices == [100.0 + second for second in range(50)]
    _play_to_the_end(start(**settings))
    assert len(broker.read(DEAD_LETTERS)) == 2


def test_made_up_ticks_come_at_their_rate_and_go_on_after_a_kill(
    broker: BrokerUnderTest, start: Callable[..., ServiceProcess]
) -> None:
    settings = {"source": "simulated", "ticker_count": 30, "rate_per_second": 400, "interval": "1s", "end": ""}
    service = start(**settings)
    enough = _tick_count_reaches(1_000)
    before = broker.read(TICKS, enough)
    service.kill()
    kept = broker.read(TICKS)
    again = start(**settings)
    broker.read(TICKS, _tick_count_reaches(sum(len(record.event().tickers) for record in kept) + 500))
    assert again.stop() == 0
    assert len(before) <= len(kept)
    frames = _frames(broker)
    for partition in range(4):
        own = [frame for number, frame in frames if number == partition]
        assert [frame.sequence for frame in own] == list(range(len(own)))
        times = [time for frame in own for time in frame.times_ns]
        assert times == sorted(times)
        reached = 0
        for frame in own:
            assert all(time >= reached for time in frame.times_ns)
            reached = frame.watermark_ns or reached
        assert reached
    assert {frame.origin for _, frame in frames} == {Origin.SIMULATED}
    last_prices: dict[str, float] = {}
    for ticker, _, price, _ in ticks_of_frames(frames):
        assert price == pytest.approx(last_prices.get(ticker, price), rel=0.01), "a price jumped at the restart"
        last_prices[ticker] = price
    assert len(last_prices) == 30


def test_tickers_that_seldom_tick_go_on_from_their_prices_too_and_what_is_lost_is_said(
    broker: BrokerUnderTest, start: Callable[..., ServiceProcess]
) -> None:
    settings = {"source": "simulated", "ticker_count": 200, "rate_per_second": 400, "linger_ms": 0, "frame_ticks": 1}
    settings |= {"interval": "1s", "end": ""}
    first = start(**settings)
    broker.read(TICKS, _all_tickers_seen(200))
    assert first.stop() == 0
    kept = _frames(broker)
    again = start(**settings | {"ticker_count": 201})
    broker.read(TICKS, _tick_count_reaches(len(ticks_of_frames(kept)) + 1_000))
    assert again.stop() == 0
    assert "1 of 201 tickers have no price near the end of the log: they start from new prices" in again.output()
    last_prices: dict[str, float] = {}
    for ticker, _, price, _ in ticks_of_frames(_frames(broker)):
        assert price == pytest.approx(last_prices.get(ticker, price), rel=0.01), "a price jumped at the restart"
        last_prices[ticker] = price


def _all_tickers_seen(count: int) -> Callable[[list[Record]], bool]:
    return lambda records: len({ticker for record in records for ticker in record.event().tickers}) == count


def _tick_count_reaches(count: int) -> Callable[[list[Record]], bool]:
    return lambda records: sum(len(record.event().tickers) for record in records) >= count


def test_an_interrupt_ends_it_like_a_stop(broker: BrokerUnderTest, start: Callable[..., ServiceProcess]) -> None:
    service = start(speed=1)
    broker.read(TICKS, 1_000)
    service.send(signal.SIGINT)
    assert service.wait() == 0
    assert "Traceback" not in service.output()


def test_while_the_broker_is_away_it_waits_and_a_stop_still_ends_it(processes: Processes, tmp_path: Path) -> None:
    server = start_embedded_broker(tmp_path)
    broker = BrokerUnderTest(Server(server.bootstrap_servers, embedded=True))
    broker.create_topics()
    service = processes.start("ingestor", environment=broker.environment(speed=1))
    broker.read(TICKS, 2_050)
    server.stop()
    service.wait_for(lambda: "FAIL" in service.output(), what="the loss")
    assert service.alive()
    assert service.stop() == 0
    assert "Traceback" not in service.output()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_ends_it_while_it_asks_a_silent_broker_where_the_log_ends(
    processes: Processes, number: signal.Signals
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        service = processes.start("ingestor", environment={"TICKCAST_KAFKA_BOOTSTRAP_SERVERS": address})
        silent.settimeout(60)
        silent.accept()[0].close()
        service.send(number)
        assert service.wait() == 0
    assert service.output() == ""
