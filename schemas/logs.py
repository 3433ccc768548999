"""The log record that all services share."""

import json
import logging
import re
import sys
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal

from schemas.times import to_rfc3339

#: Of the request that is being answered; a record that names a trace of its own keeps that.
current_trace_id: ContextVar[str | None] = ContextVar("current_trace_id", default=None)

_STANDARD = set(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"message", "asctime", "taskName"}

#: librdkafka repeats itself twice a second while the broker is away, with the age of the connection at the end.
_AGE = re.compile(r" \(after \d+ms.*")
_SAY_AGAIN_SECONDS = 30.0
_DIFFERENT_WORDS = 100
_NO_NEWS = ("enable.gapless.guarantee", "Failed to acquire idempotence PID")


def _time_text(record: logging.LogRecord) -> str:
    return to_rfc3339(int(record.created * 1_000) * 1_000_000)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, service, logger, message, trace id if any, and whatever `extra` names."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        entry = {
            "time": _time_text(record),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (trace_id := current_trace_id.get()) is not None:
            entry["trace_id"] = trace_id
        entry |= {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


class TextFormatter(logging.Formatter):
    """A line for people: time, level where it matters, message."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        clock = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        level = "" if record.levelno <= logging.INFO else f"{record.levelname.lower()}: "
        text = f"{clock} {level}{record.getMessage()}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


def _without_age(record: logging.LogRecord) -> str:
    return _AGE.sub("", record.getMessage())


class _FewWords(logging.Filter):
    """Passes over what a library says again and again, and what is no news: that librdkafka tries again by itself."""

    def __init__(self, words_of: Callable[[logging.LogRecord], str]) -> None:
        super().__init__()
        self._words_of = words_of
        self._said_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        text = self._words_of(record)
        again = record.created - self._said_at.get(text, 0.0) < _SAY_AGAIN_SECONDS
        if again or any(words in text for words in _NO_NEWS):
            return False
        if len(self._said_at) >= _DIFFERENT_WORDS:
            self._said_at.clear()
        self._said_at[text] = record.created
        return True


def client_logger() -> logging.Logger:
    """Give the logger for librdkafka's own words (its `logger` property): the shared form, nothing twice in 30 s."""
    logger = logging.getLogger("librdkafka")
    if not logger.filters:
        logger.addFilter(_FewWords(_without_age))
    return logger


def say_seldom(logger_name: str) -> None:
    """Let a logger say what begins alike once in 30 s, whatever it fills in."""
    logger = logging.getLogger(logger_name)
    if not logger.filters:
        logger.addFilter(_FewWords(lambda record: str(record.msg)))


def configure_logs(service: str, level: str, log_format: Literal["text", "json"]) -> None:
    """Send every log record of this process to standard error in the shared form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service) if log_format == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # Faust's debug calls cost a fifth of the stage even when nothing is printed.
    logging.disable(logging.NOTSET if level == "debug" else logging.DEBUG)
