"""What the stage cannot absorb: kept whole in `dead-letters`, counted, and said without flooding the log."""

import logging
import time
from typing import Any

from feature_stream.figures import StageFigures
from feature_stream.frames import CheckedFrame, bad_tick_value
from feature_stream.outputs import Outputs
from feature_stream.ticks import BadTick
from schemas.dead_letters import DeadLetter
from schemas.topics import TICKS

_log = logging.getLogger(__name__)
_SAY_EVERY_SECONDS = 0.1


class DeadLetters:
    """Sends dead letters."""

    def __init__(self, outputs: Outputs, figures: StageFigures) -> None:
        self._outputs = outputs
        self._figures = figures
        self._say_again_at = 0.0
        self._unsaid = 0

    def send_record(self, record: Any, reason: str) -> None:
        """Keep a record of `ticks` whole."""
        self._send(record, record.value or b"", reason, None)

    def send_tick(self, record: Any, frame: CheckedFrame, bad: BadTick) -> None:
        """Keep one tick of a frame, as a frame with only that tick."""
        self._send(record, bad_tick_value(frame, bad.index), bad.reason, bad.index)

    def _send(self, record: Any, value: bytes, reason: str, index: int | None) -> None:
        letter = DeadLetter(
            value=value,
            reason=reason,
            origin=TICKS.name,
            key=record.key,
            partition=record.partition,
            offset=record.offset,
            index=index,
        )
        self._figures.dead_letter(reason)
        self._say(letter.id, reason)
        self._outputs.send_dead_letter(letter)

    def _say(self, letter_id: str, reason: str) -> None:
        """Log what is bad, but not every tick of a flood: the metric counts them all."""
        now = time.monotonic()
        self._unsaid += 1
        if now >= self._say_again_at:
            more = f" (and {self._unsaid - 1} more)" if self._unsaid > 1 else ""
            _log.warning("dead letter %s: %s%s", letter_id, reason, more)
            self._say_again_at, self._unsaid = now + _SAY_EVERY_SECONDS, 0
