"""Did a contestant do the work? A small log, two lives, and every event held against the pure functions."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from benchmarks.cluster import fresh_topics
from benchmarks.feature_stage.contestants import BARE, Contestant
from benchmarks.feature_stage.inputs import singles
from benchmarks.feature_stage.logs import Run, append, fresh_run
from benchmarks.market import Market
from benchmarks.topic_tools import places, reader
from benchmarks.watched import EndedError, watch
from feature_stream.advance import StageRules, absorb, provisional
from feature_stream.state import PartitionState, TickerState
from schemas.codec import decoder
from schemas.events import Bar, Features, TickFrame
from schemas.metrics import TICKS_ABSORBED
from schemas.settings import Settings
from schemas.topics import BARS, FEATURES, Topic

#: Bars of 16 ticks, 64 + 40 of each ticker.
_MARKET = Market(
    tickers=20, ticks=12_800, frame_ticks=64, rate_per_second=20 * 16 / 60, warm_up_bars=64, watermarks=False
)
_DEADLINE_SECONDS = 90.0
_CHECKPOINTS_SECONDS = 2.5
_INTERVAL_SECONDS = 0.25
#: Of each life the first word, and a little for clocks.
_WORDS_MORE = 4
_NOT_CONTENT = {"closed_at_ns", "featured_at_ns", "ingested_at_ns", "source_partition", "source_offset"}

Content = dict[str, Any]


class DifferentWorkError(RuntimeError):
    """A contestant's events are not those of the pure functions: its speed says nothing."""


@dataclass
class Words:
    """Events by id.

    Attributes:
        finals: Closed bars and final features.
        said: Provisional ones.
        said_at_ns: By ticker, when.
    """

    finals: dict[str, Content] = field(default_factory=dict)
    said: dict[str, Content] = field(default_factory=dict)
    said_at_ns: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def hear(self, event: Bar | Features) -> None:
        """Take an event in.

        Raises:
            DifferentWorkError: Its id was said before, with another content.
        """
        words = self.said if isinstance(event, Features) and not event.final else self.finals
        content = content_of(event)
        if words.setdefault(event.id, content) != content:
            raise DifferentWorkError(f"{event.id} was said twice with another content")
        if words is self.said and isinstance(event, Features):
            self.said_at_ns[event.ticker].append(event.featured_at_ns)


def content_of(event: Struct) -> Content:
    """Give what must be equal wherever an event's id stands."""
    return {name: getattr(event, name) for name in event.__struct_fields__ if name not in _NOT_CONTENT}


def expected_words(frames: Iterable[tuple[int, TickFrame]], rules: StageRules) -> Words:
    """Give all that may be said of a log: every final event, and a provisional one after each touch of a ticker."""
    words = Words()
    records = {number: PartitionState(number) for number in range(rules.partitions)}
    states: dict[int, dict[str, TickerState]] = {number: {} for number in records}
    for partition, frame in frames:
        out = absorb(records[partition], states[partition], frame, records[partition].offset + 1, rules, 0)
        for bar in out.bars:
            words.hear(bar)
        for features in out.features:
            words.hear(features)
        for ticker in out.touched:
            said = provisional(states[partition][ticker], partition, rules, 0)
            if said is not None:
                words.hear(said)
    return words


def differences(heard: Words, expected: Words) -> list[str]:
    """Say what is wrong with what was heard, at most a line of each kind."""
    lines = [
        *_wrong("final", heard.finals, expected.finals),
        *_wrong("provisional", heard.said, expected.said),
    ]
    missing = expected.finals.keys() - heard.finals.keys()
    if missing:
        lines.append(f"{len(missing)} final events are missing, like {min(missing)}")
    tickers = {content["ticker"] for content in expected.finals.values()}
    silent = tickers - heard.said_at_ns.keys()
    if silent:
        lines.append(f"{len(silent)} tickers had no provisional features, like {min(silent)}")
    lines += [f"{ticker} spoke too often" for ticker, times in heard.said_at_ns.items() if _too_often(times)][:1]
    return lines


def _wrong(kind: str, heard: Mapping[str, Content], expected: Mapping[str, Content]) -> list[str]:
    wrong = [name for name, content in heard.items() if not _alike(content, expected.get(name))]
    return [f"{len(wrong)} {kind} events are wrong, like {wrong[0]}"] if wrong else []


def _alike(one: Any, other: Any) -> bool:
    """Compare as the contract does; a forming bar's indicators, computed from sums, are equal to about 1e-12."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= 1e-9 * max(1.0, abs(one))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_alike(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_alike, one, other))
    return bool(one == other)


def _too_often(times_ns: list[int]) -> bool:
    seconds = (max(times_ns) - min(times_ns)) / 1e9
    return len(times_ns) > seconds / _INTERVAL_SECONDS + _WORDS_MORE


def verify(contestant: Contestant, address: str) -> None:
    """Let a contestant work through a small log, stopped and started again in its middle, and compare.

    The bare loop has no recovery: it has one life.

    Raises:
        DifferentWorkError: Its events are not those of the pure functions, or its state was not kept.
    """
    frames = list(_MARKET.frames())
    half = len(frames) if contestant.command == BARE.command else len(frames) // 2
    with fresh_topics(address, _MARKET.partitions) as settings, fresh_run(settings) as run:
        firsts: dict[int, int] = {}
        rules = StageRules(interval=settings.interval, partitions=settings.partitions)
        expected = expected_words(_as_read(frames, contestant), rules)
        variables = run.variables()
        for life in (frames[:half], frames[half:]):
            if life:
                append(settings, iter(life), contestant, firsts=firsts)
                ticks = sum(len(frame.tickers) for _, frame in life)
                wanted = expected.finals.keys() if life[-1] is frames[-1] else set[str]()
                _live(contestant, run, variables, ticks, wanted)
        lines = differences(heard_words(settings), expected)
    if lines:
        raise DifferentWorkError(f"{contestant.name}: {'; '.join(lines)}")


def _as_read(frames: list[tuple[int, TickFrame]], contestant: Contestant) -> Iterable[tuple[int, TickFrame]]:
    if contestant.input == "frames":
        yield from frames
        return
    firsts: dict[int, int] = defaultdict(int)
    for partition, frame in frames:
        for single in singles(frame, firsts[partition]):
            yield partition, single
        firsts[partition] += len(frame.tickers)


def _live(contestant: Contestant, run: Run, variables: dict[str, str], ticks: int, wanted: Iterable[str]) -> None:
    """Let it run until it has absorbed its ticks, kept its state, and said what is wanted."""
    wanted = set(wanted)
    with watch() as watching:
        process = watching.start(contestant.command, variables)
        process.wait_for(lambda: process.metric(TICKS_ABSORBED.name) >= ticks, f"{ticks} ticks", _DEADLINE_SECONDS)
        until = time.monotonic() + _CHECKPOINTS_SECONDS
        process.wait_for(lambda: time.monotonic() > until, "a checkpoint")
        if process.metric(TICKS_ABSORBED.name) > 1.5 * ticks:
            raise DifferentWorkError(f"{contestant.name}: it began its second life at the log's beginning")
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while wanted - heard_words(run.settings).finals.keys():
            if time.monotonic() > deadline:
                return  # what is missing is said by the comparison
            process.require_alive()
            time.sleep(0.5)


def heard_words(settings: Settings) -> Words:
    """Read all that a run has said so far."""
    words = Words()
    for topic in (BARS, FEATURES):
        for event in _events(settings, topic):
            words.hear(event)
    return words


def _events(settings: Settings, topic: Topic) -> Iterable[Bar | Features]:
    decode: Any = decoder(Bar if topic is BARS else Features)
    consumer, left = reader(settings), settings.partitions
    consumer.assign(places(settings, topic, 0))
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while left:
        if time.monotonic() > deadline:
            raise EndedError(f"{topic.name} could not be read")
        for message in consumer.consume(1_000, 0.5):
            if message.error():
                left -= 1  # its end
            else:
                yield decode(message.value())
    consumer.close()
