"""Streams that open, or do not."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest

from ingestor.sources.live.connecting import Connecting, Heard, Stream
from ingestor.sources.live.provider import LiveTick, ProviderAwayError
from schemas.errors import StopAndSayError
from tests.ingestor.clocks import ManualClock

_TICKS = [LiveTick("AAPL", second, 1.0, 1.0) for second in range(3)]


class _Streams:
    """Gives one stream after the other: an error, or pieces."""

    def __init__(self, *scripts: Exception | list[Heard | Exception]) -> None:
        self.scripts = list(scripts)
        self.opened = self.closed = 0

    async def __call__(self, tickers: Sequence[str]) -> AsyncGenerator[Heard, None]:
        self.opened += 1
        script = self.scripts.pop(0)
        try:
            if isinstance(script, Exception):
                raise script
            for piece in script:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
            await asyncio.sleep(60)
        finally:
            self.closed += 1


def _connecting(streams: _Streams, clock: ManualClock, answer_seconds: float = 5.0) -> Connecting:
    return Connecting(
        streams, answer_seconds=answer_seconds, least_seconds=5.0, pause_seconds=0.001, clock=clock, sleep=clock.sleep
    )


@asynccontextmanager
async def _opened(
    connecting: Connecting, failed: Callable[[Exception], None] = lambda error: None
) -> AsyncIterator[Stream]:
    stream = await connecting.opened(lambda: ["AAPL"], failed)
    yield stream
    await stream.close()


async def test_what_comes_with_the_subscription_is_heard_and_silence_is_nothing() -> None:
    streams, clock = _Streams([[_TICKS[0]], [_TICKS[1], _TICKS[2]]]), ManualClock()
    async with _opened(_connecting(streams, clock)) as stream:
        heard = [await stream.next_within(1.0), await stream.next_within(1.0), await stream.next_within(0.01)]
    assert heard == [[_TICKS[0]], [_TICKS[1], _TICKS[2]], []]
    assert (streams.opened, streams.closed) == (1, 1)


async def test_it_tries_again_until_it_holds_never_sooner_than_it_may_and_tells_why() -> None:
    told: list[Exception] = []
    streams, clock = _Streams(ProviderAwayError("one"), [], [[]]), ManualClock()
    async with _opened(_connecting(streams, clock, answer_seconds=0.05), told.append):
        pass
    assert [str(error) for error in told] == ["one", "no subscription within 0.05 s"]
    assert clock.slept == [0.0, 5.0, 5.0]
    assert streams.closed == 3


async def test_streams_that_break_soon_are_opened_after_pauses_that_grow_until_one_was_steady() -> None:
    script: list[Heard | Exception] = [[], ProviderAwayError("another connection has this key")]
    streams, clock = _Streams(*[script] * 7), ManualClock()
    connecting = _connecting(streams, clock)
    for number in range(7):
        stream = await connecting.opened(lambda: ["AAPL"], lambda error: None)
        if number == 5:
            await clock.sleep(60)
        with pytest.raises(ProviderAwayError, match="another connection"):
            await stream.next_within(1.0)
        await stream.close()
    del clock.slept[6]
    for slept, longest_seconds in zip(clock.slept, [0, 5, 10, 20, 40, 60, 0], strict=True):
        assert 0.75 * longest_seconds <= slept <= longest_seconds


async def test_what_nobody_foresaw_is_an_absence_and_its_words_are_not_said() -> None:
    told: list[Exception] = []
    streams, clock = _Streams(KeyError("the key"), [[], ValueError("the key")]), ManualClock()
    with pytest.raises(ProviderAwayError, match="ValueError") as caught:
        async with _opened(_connecting(streams, clock), told.append) as stream:
            await stream.next_within(1.0)
    assert "KeyError" in str(told[0])
    assert "the key" not in f"{told[0]}{caught.value}"


async def test_a_refusal_is_not_tried_again() -> None:
    streams = _Streams(StopAndSayError("the key"), [[]])
    with pytest.raises(StopAndSayError, match="the key"):
        await _connecting(streams, ManualClock()).opened(lambda: ["AAPL"], lambda error: None)
    assert streams.opened == 1


async def test_the_end_of_a_stream_is_an_error_that_is_tried_again() -> None:
    async def ends(tickers: Sequence[str]) -> AsyncGenerator[Heard, None]:
        yield []

    connecting = Connecting(ends, answer_seconds=5.0, least_seconds=0.0)
    with pytest.raises(ProviderAwayError, match="closed"):
        async with _opened(connecting) as stream:
            await stream.next_within(1.0)
