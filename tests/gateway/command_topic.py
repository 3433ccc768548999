"""What stands in the place of `model-commands`: it takes what the gateway sends, or is away."""

from typing import Any

from msgspec import Struct

from gateway.intake import Intake
from gateway.parts import Parts
from schemas.dead_letters import DeadLetter
from schemas.errors import RetryError
from schemas.events import ModelCommand, SourceCommand
from schemas.topics import Topic
from tests.gateway.samples import record_of


class CommandTopic:
    """The commands that were sent."""

    def __init__(self, parts: Parts) -> None:
        self.sent: list[Any] = []
        self.away = False
        parts.commands.send = self._send

    async def _send(self, command: ModelCommand | SourceCommand) -> None:
        if self.away:
            raise RetryError("no answer")
        self.sent.append(command)


def read(parts: Parts, topic: Topic, *events: Struct) -> None:
    """Do what the feed does with records of a topic."""
    intake = Intake(parts, _fail)
    for offset, event in enumerate(events):
        intake.take(topic.name, record_of(event, offset))


def _fail(letter: DeadLetter) -> None:
    raise AssertionError(letter.reason)
