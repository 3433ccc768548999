"""A part of the system, and what follows from its end."""

import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

from schemas.errors import EXIT_STOP_AND_SAY


@dataclass(frozen=True)
class Part:
    """A process of the system.

    Attributes:
        command: What to run, the executable first.
        environment: Its whole environment; None hands on ours.
        health_url: Answers 200 once the part is ready; None: nobody waits for it.
        once: It ends by itself, with exit code 0, when its work is done.
        essential: The system is no use without it: when it stops and says why, all stops.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] | None = None
    health_url: str | None = None
    once: bool = False
    niceness: int = 0
    essential: bool = True


class Verdict(Enum):
    """What follows from the end of a process."""

    DONE = "done"
    START_AGAIN = "start again"
    STOPPED_AND_SAID = "stopped and said"


def verdict(part: Part, exit_code: int, *, broker_was_up: bool) -> Verdict:
    """Judge an end that nobody ordered.

    A part that stops and says why while the broker is away most likely says that the broker is away: start it again.
    """
    if exit_code == 0 and part.once:
        return Verdict.DONE
    if exit_code == EXIT_STOP_AND_SAY and broker_was_up:
        return Verdict.STOPPED_AND_SAID
    return Verdict.START_AGAIN


def how_it_ended(exit_code: int) -> str:
    """Say an exit code in words."""
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    with suppress(ValueError):
        return f"was killed by {signal.Signals(-exit_code).name}"
    return f"was killed by signal {-exit_code}"
