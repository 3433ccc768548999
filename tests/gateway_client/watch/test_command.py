"""`tickcast watch` beside a real gateway: in a terminal, into a pipe, and where it cannot go on."""

import asyncio
import contextlib
import io
import subprocess
import sys
import termios
from pathlib import Path

import pytest
from pydantic import SecretStr
from rich.console import Console

from gateway.access.scopes import Scope
from gateway.client.watch.rows import Wish
from gateway.client.watch.screen import PACE, watch
from gateway.client.watch.settings import WatchSettings
from schemas.errors import EXIT_STOP_AND_SAY, TickcastError
from tests.certificates import Authority
from tests.gateway.access.people import key_of
from tests.gateway.samples import make_parts, prediction, publish
from tests.gateway.test_tls import served_with
from tests.gateway.web import running
from tests.gateway_client.scripted import scripted
from tests.gateway_client.watch.terminal import Terminal, opened
from tests.processes import clean_environment, free_port

ROOT = Path(__file__).parents[3]
DEAF = "import sys; sys.modules['rich'] = None; from deploy.cli import main; main(['watch'])"


def row_of(screen: str, ticker: str) -> str:
    return next((line for line in screen.splitlines() if line.startswith(ticker)), "")


def modes_of(terminal: Terminal) -> list[int]:
    """Give whether typed lines are waited for and shown."""
    return [termios.tcgetattr(terminal.master)[3] & each for each in (termios.ICANON, termios.ECHO)]


async def test_a_price_is_live_in_the_terminal_over_a_restart_of_the_gateway_until_q_is_pressed() -> None:
    port = free_port()
    first, second = (make_parts(prediction("AAPL", 1), prediction("IBM", 2), gateway_port=port) for _ in range(2))
    async with contextlib.AsyncExitStack() as stack:
        terminal = await stack.enter_async_context(opened("AAPL", "ibm", "--url", f"http://127.0.0.1:{port}"))
        async with running(first):
            await terminal.shows(lambda screen: "150.00" in row_of(screen, "AAPL"), "the snapshot")
            [subscriber] = first.hub
            assert {wish.options.max_rate for wish in subscriber.wishes()} == {PACE}
            publish(first, prediction("AAPL", 3, current_price=151.25, provisional=True))
            await terminal.shows(lambda screen: "151.25" in row_of(screen, "AAPL"), "the update")
            assert modes_of(terminal) == [0, 0]
        await terminal.shows(lambda screen: "○ not connected" in screen and "151.25" in screen, "the loss")
        async with running(second):
            publish(second, prediction("AAPL", 5, current_price=152.5, bar_index=301))
            await terminal.shows(lambda screen: "● live" in screen and "152.50" in screen, "the return")
            terminal.resize(40, 20)
            await terminal.shows(lambda screen: "Remarks" not in screen and "152.50" in screen, "a narrow table")
            terminal.press(b"q")
            assert await terminal.ended() == 0
        assert 0 not in modes_of(terminal), "the terminal is as it was"


async def test_control_c_ends_it_cleanly_and_without_colour_none_is_used() -> None:
    parts = make_parts(prediction("AAPL", 1))
    async with running(parts) as server, opened(TICKCAST_URL=server.url, NO_COLOR="1") as terminal:
        await terminal.shows(lambda screen: "bullish" in row_of(screen, "AAPL"), "the snapshot")
        terminal.press(b"\x03")
        assert await terminal.ended() == 0
        assert "Traceback" not in terminal.text()
        assert not any(f"\x1b[{colour}" in terminal.text() for colour in (31, 32, 33)), "colours"


async def test_into_a_pipe_it_is_printed_once_with_all_columns_and_no_control_sequences() -> None:
    parts = make_parts(prediction("AAPL", 1), auth_required=True)
    key, _ = key_of(parts, Scope.READ, Scope.STREAM)
    async with running(parts) as server:
        environment = clean_environment() | {"TICKCAST_URL": server.url, "TICKCAST_API_KEY": key}
        environment.pop("COLUMNS", None)
        command = [sys.executable, "-m", "deploy.cli", "watch"]
        done = await asyncio.to_thread(
            subprocess.run, command, env=environment, capture_output=True, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert all(head in done.stdout for head in ("Closes", "Expected", "Remarks"))
    assert row_of(done.stdout, "AAPL")


async def test_a_key_among_the_arguments_is_hidden_as_soon_as_it_is_read() -> None:
    parts = make_parts(prediction("AAPL", 1), auth_required=True)
    key, _ = key_of(parts, Scope.READ, Scope.STREAM)
    async with running(parts) as server, opened("--key", key, "AAPL", TICKCAST_URL=server.url) as terminal:
        await terminal.shows(lambda screen: "150.00" in screen, "the snapshot")
        arguments = Path(f"/proc/{terminal.process.pid}/cmdline").read_bytes().split(b"\0")
        assert b"AAPL" in arguments
        assert key.encode() not in arguments


async def refused(url: str, *tickers: str, key: str = "") -> TickcastError:
    """Give why it ends, in this process."""
    settings = WatchSettings(_env_file=None, url=url, api_key=SecretStr(key))
    with pytest.raises(TickcastError) as ended:
        await watch(settings, Wish(tickers), Console(file=io.StringIO()), once=True)
    return ended.value


async def test_what_stops_it_is_said_in_words_that_name_the_fix() -> None:
    parts = make_parts(prediction("AAPL", 1), auth_required=True)
    reader, _ = key_of(parts, Scope.READ)
    async with running(parts) as closed, running(make_parts(prediction("AAPL", 1))) as server:
        assert "did you mean AAPL" in str(await refused(server.url, "AAPL", "APL"))
        assert "shows all that there are" in str(await refused(server.url, "ZZZZ"))
        for key, words in {"": "asks for an API key", "tc_0_wrong": "is unknown", reader: "scope stream"}.items():
            said = str(await refused(closed.url, key=key))
            assert words in said
            assert "set TICKCAST_API_KEY" in said
            assert "tc_" not in said
    assert "start the system with `tickcast run`" in str(await refused(f"http://127.0.0.1:{free_port()}"))
    assert "give one like http://127.0.0.1:8000" in str(await refused("http://"))
    async with scripted(refusals=1_000) as starting:
        assert "still reading" in str(await refused(starting.url))


async def test_a_certificate_that_is_not_trusted_is_refused_until_its_authority_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    parts, printed = make_parts(prediction("AAPL", 1), **served_with(authority.issue())), io.StringIO()
    async with running(parts) as server:
        assert "SSL_CERT_FILE names" in str(await refused(server.url))
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
        settings = WatchSettings(_env_file=None, url=server.url)
        await watch(settings, Wish(), Console(file=printed, width=80), once=True)
    assert "AAPL" in printed.getvalue()


async def test_an_error_is_one_line_and_leaves_the_terminal_as_it_was() -> None:
    async with running(make_parts(prediction("AAPL", 1))) as server, opened("APL", "--url", server.url) as terminal:
        assert await terminal.ended() == EXIT_STOP_AND_SAY
        left = terminal.text().rpartition("\x1b[?1049l")[2]
        assert left.endswith("watch: there is no prediction for APL: did you mean AAPL?\r\n")
        assert 0 not in modes_of(terminal)


def test_without_rich_a_line_says_what_to_install() -> None:
    done = subprocess.run([sys.executable, "-c", DEAF], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == EXIT_STOP_AND_SAY
    assert done.stderr == "watch: rich is not installed: pip install tickcast[terminal]\n"
