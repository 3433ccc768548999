"""Ask an ingestor for something, and wait for what becomes of it."""

import time
from collections.abc import Callable

from confluent_kafka import Producer

from ingestor.command_feed import CommandFeed
from schemas.asking import NotDoneError
from schemas.events import CommandProgress, CommandState, SourceCommand
from schemas.producers import send_and_wait
from schemas.settings import Settings
from schemas.terminal import safe
from schemas.topics import SOURCE_COMMANDS

#: Says a line to people.
Say = Callable[[str], None]


def send(settings: Settings, command: SourceCommand, say: Say) -> None:
    """Send a command, and say so.

    Raises:
        RetryError: The broker did not take it.
    """
    send_and_wait(settings, "tickcast-sources", SOURCE_COMMANDS, command.source, command, producer_client=Producer)
    say(f"sent {command.id}: {command.action} {', '.join(command.tickers) or 'all'} to {command.source}")


def wait(feed: CommandFeed, command: SourceCommand, say: Say, patience_seconds: float) -> str:
    """Say how a command goes, and give what became of it; each new word on it renews the patience.

    Args:
        feed: Has read what was said before the command was sent.

    Raises:
        NotDoneError: It was refused. Or the ingestor says nothing of it for so long, or Ctrl-C; then the command stays.
        RetryError: The broker cannot be read.
    """
    said, deadline = "", time.monotonic() + patience_seconds
    try:
        while time.monotonic() < deadline:
            answer = _newest_answer(feed, command.id)
            if answer is None or answer.message == said:
                continue
            said, deadline = answer.message, time.monotonic() + patience_seconds
            if answer.state == CommandState.DONE:
                return f"done: {safe(said)}"
            if answer.state != CommandState.RUNNING:
                raise NotDoneError(f"{answer.state}: {safe(said)}")
            say(safe(said))
    except KeyboardInterrupt:
        raise NotDoneError("no longer waited for; the ingestor goes on, and `tickcast sources` tells") from None
    told = f"it said: {safe(said)}" if said else "the command waits for it in `source-commands`"
    raise NotDoneError(f"the ingestor has said nothing more of it for {patience_seconds:g} s; {told}")


def _newest_answer(feed: CommandFeed, command_id: str) -> CommandProgress | None:
    statuses = feed.later_statuses(0.2)
    return next((each for status in reversed(statuses) for each in status.commands if each.id == command_id), None)
