"""Who asks on a command line, and what the command is called."""

import getpass
import uuid

from schemas.errors import TickcastError


class NotDoneError(TickcastError):
    """What was asked for was not done, or nobody said that it was."""


def new_command_id() -> str:
    """Name a command of a person."""
    return f"person/{uuid.uuid4()}"


def person() -> str:
    """Name who asks on this command line."""
    try:
        return f"cli/{getpass.getuser()}"
    except (KeyError, OSError):  # a container may run under a number without a name
        return "cli/unknown"
