"""The names under which log records can be found: `event` of a JSON record. docs/operations.md says what each holds."""

from enum import StrEnum


class LogEvent(StrEnum):
    """What happened. No record holds a secret, a query string or a path: a route's template stands for it."""

    HOP = "hop"
    REQUEST = "request"
    SERVED = "served"
    PREDICTED = "predicted"
    FALLBACK = "fallback"
    MODEL_SET = "model_set"
    COMMAND = "command"
    DECISION = "decision"
    TRAINING = "training"
    REFUSED = "refused"
    LOGGED_IN = "logged_in"
    LOG_IN_FAILED = "log_in_failed"
    LOGGED_OUT = "logged_out"
    REFRESH_REFUSED = "refresh_refused"
    REFRESH_REUSED = "refresh_reused"
    KEY_CHANGED = "key_changed"
    USER_CHANGED = "user_changed"
    SPLIT = "split"
    CONNECTION_ENDED = "connection_ended"
    HAND_OVER = "hand_over"


def about(event: LogEvent, **fields: object) -> dict[str, object]:
    """Give the `extra` of a log record: its name and its fields."""
    return {"event": event, **fields}
