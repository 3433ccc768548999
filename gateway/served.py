"""What the gateway served, said in the log once a minute."""

import asyncio
import logging
import time
from typing import NoReturn

from gateway.parts import Parts
from schemas.log_events import LogEvent
from schemas.log_summary import LogSummary

_LOOK_SECONDS = 1.0

_log = logging.getLogger(__name__)


async def say_what_was_served(parts: Parts) -> NoReturn:
    """Say it again and again."""
    summary = LogSummary(_log, LogEvent.SERVED, parts.settings)
    while True:
        if summary.is_due(time.monotonic()):
            summary.say(parts.instruments.totals(), time.monotonic())
        await asyncio.sleep(_LOOK_SECONDS)
