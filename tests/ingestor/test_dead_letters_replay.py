"""Replays beside each other, cut off and begun again, on a log in memory: the stage absorbs each letter once."""

from collections import Counter
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_stream.advance import StageRules, absorb
from feature_stream.frames import read_frame
from feature_stream.state import PartitionState, TickerState
from ingestor.dead_letters.heard import HeardReplays
from ingestor.dead_letters.letter import Letter
from ingestor.dead_letters.replay import Replayer, Result, Told, Wishes
from schemas.codec import encode
from schemas.dead_letters import REPLAY_SOURCE, DeadLetter
from schemas.errors import StopAndSayError
from schemas.events import TickFrame
from schemas.partitioning import partition_of
from tests.ingestor.letters import letter_of, tick_frame

_PARTITIONS = 2
_TIME_NS = 1_700_000_000 * 10**9
_RULES = StageRules(interval="1d", partitions=_PARTITIONS)
_TICKERS = ("AAPL", "IBM", "MSFT", "GE", "KO", "XOM")
#: A log by partition, which begins at an offset above the letters' own where its beginning is gone.
_Log = dict[int, list[bytes]]


class _KilledError(Exception):
    pass


class _Replay:
    """A replay that reads and writes the shared log, and lets others run, or dies, while its frame is under way."""

    def __init__(self, log: _Log, letters: list[Letter], data: st.DataObject, others: "list[_Replay]") -> None:
        self._log = log
        self._heard: dict[int, HeardReplays] = {}
        self._data = data
        self._others = others
        self._busy = False
        self.told: list[Told] = []
        self.ended = False
        self._steps = Replayer(self, self._send, _PARTITIONS, lambda: 1, Wishes()).replay(letters)

    def step(self) -> None:
        if self._busy or self.ended:
            return
        self._busy = True
        try:
            self.told.append(next(self._steps))
        except (StopIteration, _KilledError):
            self.ended = True
        self._busy = False

    def heard(self, partition: int) -> HeardReplays:
        if partition not in self._heard:
            self._heard[partition] = HeardReplays(0)
            self._read(partition, len(self._log[partition]))
        return self._heard[partition]

    def takes(self, partition: int, offset: int) -> bool:
        return self._read(partition, offset + 1)

    def _read(self, partition: int, end: int) -> bool:
        heard, taken = self._heard[partition], False
        while heard.next_offset < end:
            taken = heard.hear(heard.next_offset, self._log[partition][heard.next_offset])
        return taken

    def _send(self, partition: int, frame: TickFrame) -> int:
        self._meanwhile()
        if self._others and self._data.draw(st.integers(0, 9)) == 0:
            raise _KilledError
        self._log[partition].append(encode(frame))
        offset = len(self._log[partition]) - 1
        self._meanwhile()
        if self._others and self._data.draw(st.integers(0, 9)) == 0:
            raise _KilledError  # the frame is in the log, and nobody was told
        return offset

    def _meanwhile(self) -> None:
        for other in self._others:
            if other is not self and self._data.draw(st.booleans()):
                other.step()


def _letters(count: int) -> list[Letter]:
    return [
        letter_of(
            DeadLetter(
                value=encode(tick_frame((_TICKERS[number % len(_TICKERS)], _TIME_NS + number, 10.0, 1.0))),
                reason="undecodable: then",
                origin="ticks",
                partition=0,
                offset=number,
            )
        )
        for number in range(count)
    ]


def _absorbed(log: _Log) -> Iterator[str]:
    """Give the position of every replayed frame that the stage absorbs."""
    for partition, values in log.items():
        state = PartitionState(partition)
        states: dict[str, TickerState] = {}
        for offset, value in enumerate(values):
            frame = read_frame(value)
            out = absorb(state, states, frame, offset, _RULES, 0)
            assert not out.bad
            assert not any(bar.partial for ticker in states.values() for bar in ticker.open_bars)
            if out.ticks_absorbed and frame.frame.source == REPLAY_SOURCE:
                yield frame.frame.position


def _log_of_others(data: st.DataObject) -> _Log:
    other = tick_frame(source="market")
    counts = [data.draw(st.integers(0, 3)) for _ in range(_PARTITIONS)]
    return {
        number: [encode(msgspec.structs.replace(other, sequence=at)) for at in range(count)]
        for number, count in enumerate(counts)
    }


@given(st.data())
def test_replays_at_the_same_time_and_killed_ones_and_a_last_one_absorb_each_letter_exactly_once(
    data: st.DataObject,
) -> None:
    log, letters = _log_of_others(data), _letters(data.draw(st.integers(1, 8)))
    replays: list[_Replay] = []
    for _ in range(data.draw(st.integers(1, 4))):
        chosen = data.draw(st.lists(st.sampled_from(letters), unique_by=lambda letter: letter.id))
        replays.append(_Replay(log, chosen, data, replays))
    while any(not replay.ended for replay in replays):
        data.draw(st.sampled_from([replay for replay in replays if not replay.ended])).step()
    last = _Replay(log, letters, data, [])
    while not last.ended:
        last.step()
    assert Counter(_absorbed(log)) == Counter(letter.id for letter in letters)
    again = _Replay(log, letters, data, [])
    while not again.ended:
        again.step()
    assert {told.result for told in again.told} == {Result.ALREADY}
    told_replayed = Counter(
        told.letter.id for one in (*replays, last) for told in one.told if told.result is Result.REPLAYED
    )
    assert max(told_replayed.values(), default=0) <= 1, "two say that they replayed the same letter"


def test_a_frame_of_several_partitions_is_sent_in_parts_and_a_missing_part_alone_is_sent_again() -> None:
    ticks = [(ticker, _TIME_NS, 10.0, 1.0) for ticker in _TICKERS]
    assert {partition_of(ticker, _PARTITIONS) for ticker in _TICKERS} == {0, 1}
    written = DeadLetter(
        value=encode(tick_frame(*ticks)), reason="undecodable: x", origin="ticks", partition=0, offset=0
    )
    letter = letter_of(written)
    log: _Log = {0: [], 1: []}
    _run(log, letter)
    assert [len(values) for values in log.values()] == [1, 1]
    log[1].clear()
    assert [told.result for told in _run(log, letter)].count(Result.ALREADY) == 1
    assert [len(values) for values in log.values()] == [1, 1]


def _run(log: _Log, letter: Letter, first_offset: int = 0, **wishes: bool) -> list[Told]:
    heard = {partition: HeardReplays(first_offset) for partition in log}
    for partition, values in log.items():
        for offset, value in enumerate(values, first_offset):
            heard[partition].hear(offset, value)

    class Known:
        def heard(self, partition: int) -> HeardReplays:
            return heard[partition]

        def takes(self, partition: int, offset: int) -> bool:
            return heard[partition].hear(offset, log[partition][-1])

    def send(partition: int, frame: TickFrame) -> int:
        log[partition].append(encode(frame))
        return first_offset + len(log[partition]) - 1

    return list(Replayer(Known(), send, _PARTITIONS, lambda: 1, Wishes(**wishes)).replay([letter]))


def test_a_dry_run_says_what_it_would_do_and_sends_nothing() -> None:
    log: _Log = {0: [], 1: []}
    (told,) = _run(log, _letters(1)[0], dry_run=True)
    assert (told.result, log) == (Result.REPLAYED, {0: [], 1: []})
    assert told.text == f"would go to partition {partition_of('AAPL', _PARTITIONS)}: AAPL at 10"


def test_what_was_replayed_is_sent_again_only_where_that_is_asked_for() -> None:
    log: _Log = {0: [], 1: []}
    results = [_run(log, _letters(1)[0], again=again)[0].result for again in (False, False, True)]
    assert results == [Result.REPLAYED, Result.ALREADY, Result.REPLAYED]
    assert list(_absorbed(log)) == ["ticks:0:0", "ticks:0:0"]


def test_a_letter_before_the_logs_beginning_is_not_sent_unasked_and_numbers_go_on_above_all_lost_ones() -> None:
    letter = _letters(1)[0]
    log: _Log = {0: [], 1: []}
    (told,) = _run(log, letter, first_offset=10)
    assert told.result is Result.REFUSED
    assert "--again" in told.text
    assert _run(log, letter, first_offset=10, again=True)[0].result is Result.REPLAYED
    (value,) = log[partition_of("AAPL", _PARTITIONS)]
    assert read_frame(value).frame.sequence == 10


def test_a_partition_whose_log_begins_right_after_the_letters_record_tells_of_its_replays() -> None:
    heard, letter = HeardReplays(5), _letters(5)[4]
    assert heard.tells_of(letter, 0)
    assert not heard.tells_of(letter, 1)
    assert not heard.tells_of(_letters(4)[3], 0)
    heard.skip_to(9)
    assert not heard.tells_of(letter, 0)


def test_an_ingestor_under_the_replays_name_stops_it() -> None:
    taken = encode(tick_frame(source=REPLAY_SOURCE))
    for value in (None, b"garbage", b'{"position": "dead-letters"}', encode(tick_frame(source="other"))):
        assert not HeardReplays(0).hear(0, value)
    with pytest.raises(StopAndSayError, match="TICKCAST_SOURCE_NAME"):
        HeardReplays(0).hear(0, taken)
