"""Bars of the past, of the first provider that has them."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest

from ingestor.sources.bars import BarColumns
from ingestor.sources.live.asking import first_history
from ingestor.sources.live.provider import Provider, ProviderAwayError

_Bars = dict[str, BarColumns]


class _Past:
    """Of a provider only the past."""

    def __init__(self, answer: Callable[[], Coroutine[Any, Any, _Bars]]) -> None:
        self._answer = answer

    async def history(self, *_: object) -> _Bars:
        return await self._answer()


async def _for_ever() -> _Bars:
    await asyncio.Event().wait()
    raise AssertionError


async def _nothing() -> _Bars:
    await asyncio.sleep(0.1)
    return {}


async def _asked(*answers: Callable[[], Coroutine[Any, Any, _Bars]]) -> _Bars:
    providers = [cast("Provider", _Past(answer)) for answer in answers]
    return await asyncio.wait_for(first_history(providers, ["AAPL"], 0, 1, "1m", others_seconds=0.05), 20)


async def test_who_hangs_is_not_waited_for_behind_who_plays() -> None:
    assert await _asked(_nothing, _for_ever) == {}


async def test_where_none_answers_in_time_that_is_said() -> None:
    async def away() -> _Bars:
        raise ProviderAwayError("the first is away")

    with pytest.raises(ProviderAwayError, match=r"the first is away; .*TimeoutError"):
        await _asked(away, _for_ever)
