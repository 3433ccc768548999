"""Why the gateway closes a WebSocket, and whether its client should come back."""

from enum import IntEnum


class CloseCode(IntEnum):
    """What the gateway closes with; 1001, 1011 to 1013 and 4000 to 4499 mean reconnect, 4500 to 4999 do not."""

    GOING_AWAY = 1001
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    TOO_SLOW = 4000
    LOG_REPLACED = 4001
    AUTH_EXPIRED = 4002
    TOO_MANY_CONNECTIONS = 4003
    AUTH_REQUIRED = 4500
    AUTH_FAILED = 4501
    FORBIDDEN = 4502
    REVOKED = 4503
    TOO_MANY_MESSAGES = 4504


#: What each code says, and what to do.
CLOSE_REASONS: dict[CloseCode, str] = {
    CloseCode.GOING_AWAY: "the gateway is shutting down",
    CloseCode.INTERNAL_ERROR: "the gateway failed, or a ping was not answered",
    CloseCode.SERVICE_RESTART: "the gateway restarts",
    CloseCode.TRY_AGAIN_LATER: "the gateway has too much to do",
    CloseCode.TOO_SLOW: "what was sent was not read in time: resume, with fewer tickers or with max_rate",
    CloseCode.LOG_REPLACED: "the topic was made anew: its sequence numbers begin again, in another epoch",
    CloseCode.AUTH_EXPIRED: "the credentials have expired: connect with new ones",
    CloseCode.TOO_MANY_CONNECTIONS: "too many connections: wait, then connect",
    CloseCode.AUTH_REQUIRED: "no credentials came in time: send auth first",
    CloseCode.AUTH_FAILED: "the credentials are wrong",
    CloseCode.FORBIDDEN: "the credentials do not allow this",
    CloseCode.REVOKED: "the credentials were revoked",
    CloseCode.TOO_MANY_MESSAGES: "more messages than the limit allows",
}

_RECONNECT = frozenset({1001, 1006, 1011, 1012, 1013})


def means_reconnect(code: int) -> bool:
    """Tell whether a client should come back after a close code; 1006 is a connection that broke."""
    return code in _RECONNECT or 4000 <= code <= 4499
