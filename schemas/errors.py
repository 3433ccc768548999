"""Errors named by what a service must do with them: retry, dead-letter, or stop."""

import os

#: Exit code of a service that stopped on purpose and said why; starting it again would not help.
EXIT_STOP_AND_SAY: int = os.EX_CONFIG


class TickcastError(Exception):
    """Base of every error that Tickcast raises on purpose."""


class RetryError(TickcastError):
    """The same call may succeed later; nothing was lost."""


class DeadLetterError(TickcastError):
    """The input can never be understood; keep its bytes in `dead-letters` and go on."""


class StopAndSayError(TickcastError):
    """Going on would be wrong: print the one line and exit with `EXIT_STOP_AND_SAY`."""
