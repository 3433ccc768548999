"""The table on a terminal: live, or once."""

import asyncio
import time
from collections.abc import Collection
from contextlib import suppress

from rich.console import Console
from rich.live import Live

from gateway.client import Client, connect
from gateway.client.watch.board import Board
from gateway.client.watch.following import Following
from gateway.client.watch.keys import ending_on_keys
from gateway.client.watch.refusals import not_ready
from gateway.client.watch.rows import Wish
from gateway.client.watch.settings import WatchSettings
from gateway.client.watch.table import Sight, shown_tickers, view
from schemas.errors import StopAndSayError

#: Frames, and provisional updates of a ticker, a second: more than that no eye follows.
PACE = 2.0
_ONCE_SECONDS = 10.0
_CLOSES_SECONDS = 3.0
_LONGEST_WAIT_SECONDS = 5.0
#: Where the output is no terminal, there is room for all columns.
PIPE_WIDTH = 160


async def watch(settings: WatchSettings, wish: Wish, console: Console, *, once: bool) -> None:
    """Show the table until the person has seen enough, or once.

    Raises:
        TickcastError: It cannot be had; the text names the fix.
    """
    key = settings.api_key.get_secret_value() or None
    try:
        client = connect(settings.url, api_key=key, longest_wait_seconds=_LONGEST_WAIT_SECONDS)
    except ValueError as error:
        raise StopAndSayError(str(error)) from error
    async with client:
        board = Board()
        following = Following(client, settings.url, board)
        if once or not console.is_terminal or console.is_dumb_terminal:
            await _once(client, following, board, wish, console)
        else:
            await _live(client, following, board, wish, console)


async def _once(client: Client, following: Following, board: Board, wish: Wish, console: Console) -> None:
    stream = client.predictions(wish.tickers or ["*"])
    try:
        async with asyncio.timeout(_ONCE_SECONDS):
            await following.follow(stream, lambda: board.complete, patient=False)
            await following.look_at_health()
    except TimeoutError:
        raise not_ready(following.url, "no answer in time") from None
    sight = Sight(time.time_ns(), console.width, troubles=following.troubles())
    with suppress(TimeoutError):
        async with asyncio.timeout(_CLOSES_SECONDS):
            await following.fill_closes(shown_tickers(board, wish, sight))
    console.print(view(board, wish, sight))


async def _live(client: Client, following: Following, board: Board, wish: Wish, console: Console) -> None:
    stop = asyncio.Event()
    stream = client.predictions(wish.tickers or ["*"], max_rate=PACE)

    def sight(moved: Collection[str] = ()) -> Sight:
        width, height = console.size
        return Sight(time.time_ns(), width, height, following.troubles(), moved)

    tasks = [
        asyncio.create_task(following.follow(stream, stop.is_set)),
        asyncio.create_task(following.keep_looking()),
        asyncio.create_task(following.keep_filling(lambda: shown_tickers(board, wish, sight()))),
    ]
    ended = asyncio.create_task(stop.wait())
    try:
        with ending_on_keys(stop), Live(console=console, screen=True, auto_refresh=False) as live:
            while not ended.done():
                live.update(view(board, wish, sight(board.seen())), refresh=True)
                done, _ = await asyncio.wait({ended, *tasks}, timeout=1 / PACE, return_when=asyncio.FIRST_COMPLETED)
                for task in done - {ended}:
                    task.result()
    finally:
        for task in (ended, *tasks):
            task.cancel()
        await asyncio.gather(ended, *tasks, return_exceptions=True)
