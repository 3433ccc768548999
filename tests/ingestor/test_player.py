"""A source taken to the broker."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from typing import Any

from prometheus_client import CollectorRegistry

from ingestor.figures import Figures
from ingestor.frames import FrameBuilder, NumberedFrame, ResumePoint
from ingestor.player import Player
from ingestor.positions import PositionText
from ingestor.sources.moments import Moment, Position, Rejected, SourceHealth
from ingestor.validation import LiveBounds, Validator
from schemas.dead_letters import DeadLetter
from tests.ingestor.fold import ticks_of_frames

_POSITIONS = PositionText({"source": "test"})


class _Source:
    """Plays a script: moments, and things to wait for between them."""

    live = False
    content: dict[str, str] = {}  # noqa: RUF012
    title = "a script"
    goes_on_from: tuple[str, ...] = ()

    def __init__(self, *script: Moment | Callable[[], Any]) -> None:
        self._script = script

    async def ticks(
        self, after: Position | None, last_prices: dict[str, float], places: Collection[Position] = ()
    ) -> AsyncIterator[Moment]:
        for item in self._script:
            if isinstance(item, Moment):
                yield item
            else:
                await item()

    def health(self) -> SourceHealth:
        return SourceHealth()


class _Sent:
    """A publisher that remembers what it was given, in order, and may be slow."""

    def __init__(self) -> None:
        self.said: list[Any] = []
        self.open = asyncio.Event()
        self.open.set()
        self.arrived = asyncio.Event()

    async def send(self, frame: NumberedFrame) -> None:
        await self.open.wait()
        self.said.append(frame)
        self.arrived.set()

    async def send_dead_letter(self, letter: DeadLetter) -> None:
        self.said.append(letter)

    async def settle(self) -> None:
        self.said.append("settled")

    @property
    def frames(self) -> list[NumberedFrame]:
        return [said for said in self.said if isinstance(said, NumberedFrame)]


def _tick(number: int, price: float = 1.0, **more: Any) -> Moment:
    return Moment(position=(number,), tickers=["AAPL"], times_ns=[number], prices=[price], sizes=[1.0], **more)


def _player(sent: Any, after: Position | None = None, linger_seconds: float = 0.0, live: bool = False) -> Player:
    bounds = LiveBounds(maximum_jump=0.1, maximum_future_seconds=1e9) if live else None
    starts = [ResumePoint(7, after) if after else ResumePoint()] * 4
    builder = FrameBuilder("test", starts, 100, _POSITIONS.write)
    figures = Figures("test", CollectorRegistry())
    return Player("test", builder, Validator(bounds), sent, figures, linger_seconds=linger_seconds, after=after)


def test_a_tick_waits_for_no_other_longer_than_the_linger() -> None:
    async def play() -> list[int]:
        sent = _Sent()

        async def until_it_has_arrived() -> None:
            await asyncio.wait_for(sent.arrived.wait(), 5)
            sent.arrived.clear()

        player = _player(sent)
        lingering = asyncio.create_task(player.send_what_lingers())
        await player.play(_Source(_tick(1), until_it_has_arrived, _tick(2), until_it_has_arrived), {})
        lingering.cancel()
        return [len(frame.frame.tickers) for frame in sent.frames]

    assert asyncio.run(play()) == [1, 1]


def test_ticks_within_the_linger_share_a_frame() -> None:
    async def play() -> list[int]:
        sent = _Sent()
        player = _player(sent, linger_seconds=60)
        lingering = asyncio.create_task(player.send_what_lingers())
        await player.play(_Source(*(_tick(number) for number in range(1, 11))), {})
        await player.finish()
        lingering.cancel()
        return [len(frame.frame.tickers) for frame in sent.frames]

    assert asyncio.run(play()) == [10]


def test_a_busy_source_lets_others_have_their_turn() -> None:
    async def play() -> int:
        sent, turns = _Sent(), 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        await _player(sent).play(_Source(*(_tick(number) for number in range(1, 20_000))), {})
        task.cancel()
        return turns

    assert asyncio.run(play()) > 3


def test_dead_letters_are_with_the_broker_before_a_frame_that_claims_their_place() -> None:
    bad = Rejected(value=b"oops", code="row", reason="no", place="2")

    async def play() -> list[Any]:
        sent = _Sent()
        player = _player(sent)
        await player.play(_Source(_tick(1), Moment(position=(2,), rejected=[bad]), _tick(3)), {})
        await player.finish()
        return sent.said

    letter, settled, frame, *_ = asyncio.run(play())
    assert (letter.value, letter.origin, letter.position) == (b"oops", "source:test", "2")
    assert settled == "settled"
    assert _POSITIONS.read(frame.frame.position) == (3,)


def test_many_dead_letters_are_waited_for_once_before_the_next_frame() -> None:
    bad = Rejected(value=b"oops", code="row", reason="no")

    async def play() -> list[Any]:
        sent = _Sent()
        player = _player(sent)
        await player.play(
            _Source(_tick(1), *(Moment(position=(n,), rejected=[bad]) for n in range(2, 50)), _tick(50)), {}
        )
        await player.finish()
        return sent.said

    names = [said if isinstance(said, str) else type(said).__name__ for said in asyncio.run(play())]
    assert names == ["DeadLetter"] * 48 + ["settled", "NumberedFrame", "settled"]


def test_what_every_partition_has_is_not_sent_again_nor_dead_lettered_again() -> None:
    bad = Rejected(value=b"oops", code="row", reason="no")

    async def play() -> list[Any]:
        sent = _Sent()
        player = _player(sent, after=(2,))
        await player.play(_Source(_tick(1, rejected=[bad]), _tick(2), _tick(3, rejected=[bad])), {})
        await player.finish()
        return sent.said

    said = asyncio.run(play())
    assert [type(item).__name__ for item in said].count("DeadLetter") == 1
    frames = [item for item in said if isinstance(item, NumberedFrame)]
    assert [(frame.frame.sequence, frame.frame.times_ns) for frame in frames] == [(7, [3])]


def test_a_stop_while_the_broker_is_slow_keeps_the_order_and_the_sequence() -> None:
    async def play() -> list[NumberedFrame]:
        sent = _Sent()
        sent.open.clear()
        player = _player(sent)
        marks = [Moment(position=(number,), watermark_ns=number) for number in range(2, 10)]
        playing = asyncio.create_task(player.play(_Source(_tick(1), *marks), {}))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        assert not sent.frames
        sent.open.set()
        await player.finish()
        return sent.frames

    frames = asyncio.run(play())
    for partition in range(4):
        own = [frame.frame for frame in frames if frame.partition == partition]
        assert [frame.sequence for frame in own] == list(range(len(own)))
        assert own
    assert [row[1] for row in ticks_of_frames(frames)] == [1]


def test_a_jump_that_nothing_confirms_is_dead_lettered_at_the_end() -> None:
    async def play() -> list[Any]:
        sent = _Sent()
        player = _player(sent, live=True)
        await player.play(_Source(_tick(1, 100.0), _tick(2, 200.0)), {})
        await player.finish()
        return sent.said

    said = asyncio.run(play())
    assert [item.reason for item in said if isinstance(item, DeadLetter)] == ["no further tick confirmed the jump"]
    assert [row[2] for row in ticks_of_frames([s for s in said if isinstance(s, NumberedFrame)])] == [100.0]


def test_a_source_in_trouble_lacks_ticks_only_where_some_are_to_be_expected() -> None:
    assert SourceHealth(trouble="away").lacks == "away"
    assert SourceHealth(trouble="away", expects_ticks=False).lacks is None
