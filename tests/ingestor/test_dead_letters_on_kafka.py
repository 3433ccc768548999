"""`tickcast dead-letters` on a broker, with a feature stage beside it: what can be mended comes into its bar once."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.codec import encode
from schemas.dead_letters import REPLAY_SOURCE, DeadLetter
from schemas.errors import EXIT_STOP_AND_SAY
from schemas.events import Bar, TickFrame
from schemas.partitioning import partition_of
from schemas.topics import BARS, DEAD_LETTERS, TICKS
from tests.brokers import BrokerUnderTest, Record
from tests.contents import content_of, contents
from tests.feature_stream.simulation import PARTITIONS, START_NS, expected_events
from tests.ingestor.letters import TickTuple, tick_frame
from tests.processes import Processes, ServiceProcess

pytestmark = pytest.mark.integration

_SECOND_NS = 1_000_000_000
_TICKERS = tuple(f"T{number:04d}" for number in range(10))
_COMMAND = "ingestor.dead_letters"

#: Runs the command to its end: exit code and all that it printed.
Command = Callable[..., tuple[int, str]]


@pytest.fixture
def command(broker: BrokerUnderTest, processes: Processes) -> Command:
    return _command_on(broker, processes)


def _command_on(broker: BrokerUnderTest, processes: Processes) -> Command:
    def run(*words: str, **settings: Any) -> tuple[int, str]:
        process = processes.start(_COMMAND, *words, environment=broker.environment(**settings))
        return process.wait(), process.output()

    return run


def _start_stage(broker: BrokerUnderTest, processes: Processes) -> ServiceProcess:
    return processes.start("feature_stream", environment=broker.environment(interval="1m", bad_inputs_bound=0))


def _tick(ticker: str, second: float, price: float = 10.0, size: float = 1.0) -> TickTuple:
    return ticker, START_NS + round(second * _SECOND_NS), price, size


class _Market:
    """A source that numbers its frames."""

    def __init__(self, broker: BrokerUnderTest) -> None:
        self._broker = broker
        self._sequences = dict.fromkeys(range(PARTITIONS), 0)

    def send(self, *ticks: TickTuple, partition: int | None = None, **change: Any) -> None:
        """Send one frame, to its first ticker's partition where no other is meant."""
        home = partition_of(ticks[0][0], PARTITIONS) if partition is None else partition
        frame = replace(tick_frame(*ticks, sequence=self._sequences[home]), **change)
        self._broker.produce(TICKS, frame, partition=home)
        self._sequences[home] += 1

    def close_bars(self, tickers: Iterable[str], second: float = 60.0) -> None:
        for ticker in tickers:
            self.send(_tick(ticker, second))


def _elsewhere(ticker: str) -> int:
    return (partition_of(ticker, PARTITIONS) + 1) % PARTITIONS


def _letters(broker: BrokerUnderTest, count: int) -> list[Record]:
    return broker.read(DEAD_LETTERS, count)


def _replayed(records: Iterable[Record]) -> list[str]:
    own = [record.event() for record in records if f'"{REPLAY_SOURCE}"'.encode() in (record.value or b"")]
    return [frame.position for frame in own if frame.source == REPLAY_SOURCE]


def _bars(broker: BrokerUnderTest, count: int) -> list[Bar]:
    """Give the bars, and check that they are what the log says."""
    expected, _ = expected_events(broker.read(TICKS))
    said = broker.read(BARS, lambda read: len({record.event().id for record in read}) >= count)
    assert contents(said) == {key: content_of(bar) for key, bar in expected.items()}
    assert len(expected) == count
    return list(expected.values())


def _hand_made(broker: BrokerUnderTest) -> None:
    good = encode(tick_frame(_tick("AAPL", 1)))
    letters = [
        DeadLetter(value=b"a,\x1b,b", reason="row: bad", origin="source:file", position="17"),
        DeadLetter(value=good, reason="partition: elsewhere", origin="ticks", partition=0, offset=3, index=0),
        DeadLetter(value=b"garbage", reason="undecodable: no JSON", origin="ticks", partition=0, offset=4, key=b"k"),
        DeadLetter(value=good, reason="late", origin="ticks", partition=0, offset=5, index=2),
    ]
    for letter in (*letters, letters[1]):
        broker.produce(DEAD_LETTERS, letter.value, key=letter.key, headers=letter.headers())


def test_letters_are_listed_each_once_with_totals_and_filters(broker: BrokerUnderTest, command: Command) -> None:
    assert command("list") == (0, "no dead letters\n")
    _hand_made(broker)
    code, text = command("list")
    assert code == 0
    lines = text.splitlines()
    assert sorted(line.split()[0] for line in lines[1:-1]) == [
        "source:file:17",
        "ticks:0:3:0",
        "ticks:0:4",
        "ticks:0:5:2",
    ]
    assert lines[-1].startswith("4 dead letters: ")
    assert "1 partition" in lines[-1]
    shown = json.loads(command("list", "--json", "--ticker", "aapl", "--since", "2020-01-01")[1])
    assert (shown["count"], shown["totals"]) == (2, {"partition": 1, "late": 1})
    assert {letter["id"] for letter in shown["letters"]} == {"ticks:0:3:0", "ticks:0:5:2"}
    assert json.loads(command("list", "--json", "--since", "2200-01-01")[1])["count"] == 0
    limited = command("list", "--limit", "1", "--reason", "undec")[1].splitlines()
    assert limited[1].split()[0] == "ticks:0:4"


def test_show_says_all_of_a_letter_and_whether_and_how_it_can_be_replayed(
    embedded: BrokerUnderTest, processes: Processes
) -> None:
    command = _command_on(embedded, processes)
    _hand_made(embedded)
    code, text = command("show", "ticks:0:3:0")
    assert code == 0
    for line in (
        "header dead_letter_reason: partition: elsewhere",
        "key: none",
        '  "source": "market",',
        f"replay: `tickcast dead-letters replay ticks:0:3:0` sends it to partition {partition_of('AAPL', 4)}, "
        "not 0 where it was",
    ):
        assert f"{line}\n" in text
    assert "a,\\x1b,b\nreplay: no: the ingestor refused it" in command("show", "source:file:17")[1]
    assert "replay: no: it cannot be read" in command("show", "ticks:0:4")[1]
    late = command("show", "ticks:0:5:2")[1]
    assert "replay: no: late" in late
    assert "ticks:0:5:2 --force` sends it" in late
    assert command("show", "nothing") == (
        EXIT_STOP_AND_SAY,
        "dead-letters: there is no dead letter nothing: `tickcast dead-letters list` shows those that there are\n",
    )


def test_what_was_named_and_cannot_be_replayed_is_an_error_and_the_rest_is_done(
    broker: BrokerUnderTest, command: Command
) -> None:
    _hand_made(broker)
    assert command("replay", "--all", "--dry-run")[0] == 0
    assert not broker.read(TICKS)
    code, text = command("replay", "ticks:0:4", "ticks:0:3:0", "nothing")
    assert code == EXIT_STOP_AND_SAY
    assert "ticks:0:4: not replayed: it cannot be read" in text
    assert text.splitlines()[-1].startswith("dead-letters: there is no dead letter nothing")
    assert _replayed(broker.read(TICKS)) == ["ticks:0:3:0"]
    code, text = command("replay", "ticks:0:4")
    assert (code, text.splitlines()[-1]) == (
        EXIT_STOP_AND_SAY,
        "dead-letters: not all that was named was replayed: each line above says why",
    )
    code, text = command("replay", "ticks:0:3:0")
    assert (code, text.splitlines()[-1]) == (0, "0 replayed, 1 replayed already, 0 not replayed")
    assert command("replay", "ticks:0:3:0", "--again")[0] == 0
    assert _replayed(broker.read(TICKS)) == ["ticks:0:3:0"] * 2


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        ({"topic_prefix": "nowhere."}, EXIT_STOP_AND_SAY, "topic nowhere.ticks is missing"),
        ({"partitions": 7}, EXIT_STOP_AND_SAY, "4 partitions, not 7"),
        ({"kafka_bootstrap_servers": "127.0.0.1:1"}, 1, "no Kafka broker answers at 127.0.0.1:1"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(
    embedded: BrokerUnderTest, processes: Processes, settings: dict[str, Any], code: int, said: str
) -> None:
    ended, text = _command_on(embedded, processes)("list", **settings)
    assert (ended, len(text.splitlines())) == (code, 1)
    assert said in text


def test_what_can_be_mended_comes_into_its_bar_and_the_rest_stays_a_letter(
    kafka: BrokerUnderTest, processes: Processes
) -> None:
    _start_stage(kafka, processes)
    market, command = _Market(kafka), _command_on(kafka, processes)
    first, second = _TICKERS[:2]
    market.send(_tick(first, 1), _tick(first, 2, price=-1.0), _tick(first, 3))
    market.send(_tick(second, 4, price=12.0), partition=_elsewhere(second))
    broken = tick_frame(_tick(first, 5, price=20.0), _tick(first, 6), sequence=-1)
    kafka.produce(TICKS, broken, b"garbage", partition=partition_of(first, PARTITIONS))
    _letters(kafka, 4)
    code, text = command("replay", "--all")
    assert (code, text.splitlines()[-1]) == (0, "2 replayed, 0 replayed already, 2 not replayed")
    assert "still bad: price -1.0: give a number from 1e-12 to 1e+15" in text
    assert command("replay", "--all")[1].splitlines()[-1] == "0 replayed, 2 replayed already, 2 not replayed"
    market.close_bars((first, second))
    bars = {bar.ticker: bar for bar in _bars(kafka, 2)}
    assert (bars[first].tick_count, bars[first].high, bars[first].partial) == (4, 20.0, False)
    assert (bars[second].tick_count, bars[second].high, bars[second].partial) == (1, 12.0, False)
    assert len(_letters(kafka, 4)) == 4, "no replay came back"


def test_a_late_tick_is_taken_by_force_where_only_the_watermark_had_passed_it_else_it_comes_back_once(
    kafka: BrokerUnderTest, processes: Processes
) -> None:
    _start_stage(kafka, processes)
    market, command = _Market(kafka), _command_on(kafka, processes)
    busy = _TICKERS[0]
    quiet = next(
        ticker for ticker in _TICKERS[1:] if partition_of(ticker, PARTITIONS) == partition_of(busy, PARTITIONS)
    )
    market.send(_tick(busy, 1), _tick(busy, 61))
    market.send(_tick(busy, 62), watermark_ns=START_NS + 60 * _SECOND_NS)
    market.send(_tick(busy, 2), _tick(quiet, 3))
    late = [record.headers["dead_letter_id"].decode() for record in _letters(kafka, 2)]
    assert command("replay", "--reason", "late")[1].splitlines()[-1] == "0 replayed, 0 replayed already, 2 not replayed"
    assert command("replay", *late, "--force")[0] == 0
    letters = _letters(kafka, 3)
    assert letters[-1].headers["dead_letter_reason"] == b"late"
    assert letters[-1].event(TickFrame).source == REPLAY_SOURCE
    code, text = command("replay", "--all", "--force")
    assert (code, text.splitlines()[-1]) == (0, "0 replayed, 2 replayed already, 1 not replayed")
    market.send(_tick(quiet, 62), _tick(busy, 122))
    counts = {(bar.ticker, bar.start_ns): bar.tick_count for bar in _bars(kafka, 3)}
    assert counts == {(busy, START_NS): 1, (quiet, START_NS): 1, (busy, START_NS + 60 * _SECOND_NS): 2}


@pytest.mark.chaos
def test_killed_halfway_and_run_twice_at_once_each_tick_is_in_its_bar_once(
    kafka: BrokerUnderTest, processes: Processes
) -> None:
    _start_stage(kafka, processes)
    market, command = _Market(kafka), _command_on(kafka, processes)
    ticks_of_each = 120
    for ticker in _TICKERS:
        wrong = [_tick(ticker, number / 4) for number in range(ticks_of_each)]
        market.send(*wrong, partition=_elsewhere(ticker))
    count = len(_TICKERS) * ticks_of_each
    _letters(kafka, count)
    killed = processes.start(_COMMAND, "replay", "--all", environment=kafka.environment())
    kafka.read(TICKS, lambda read: len(_replayed(read)) > count // 20)
    killed.kill()
    assert len(_replayed(kafka.read(TICKS))) < count, "it was killed halfway"
    together = [
        processes.start(_COMMAND, "replay", *words, environment=kafka.environment())
        for words in (("--all",), ("--reason", "partition"))
    ]
    assert [process.wait(300) for process in together] == [0, 0]
    ends = kafka.ends(TICKS)
    assert command("replay", "--all")[1].splitlines()[-1] == f"0 replayed, {count} replayed already, 0 not replayed"
    assert kafka.ends(TICKS) == ends
    market.close_bars(_TICKERS)
    bars = _bars(kafka, len(_TICKERS))
    assert {bar.ticker: (bar.tick_count, bar.volume, bar.partial) for bar in bars} == {
        ticker: (ticks_of_each, float(ticks_of_each), False) for ticker in _TICKERS
    }
