"""How an answer says that Kafka cannot be reached."""

from starlette.responses import Response

from gateway.parts import Parts
from gateway.routes.live import live_json

#: What `degraded` says then, where the predictor had nothing worse to say.
REASON = "kafka: not answering; the last known prediction"


def stale(body: bytes, age_seconds: float) -> bytes:
    """Give JSON of one or more predictions with its age, and with a reason in each `degraded` that was null."""
    marked = body.replace(b'"degraded":null', b'"degraded":"%b"' % REASON.encode())
    return b'{"age_seconds":%.1f,%b' % (age_seconds, marked[1:])


def as_known(parts: Parts, body: bytes) -> bytes:
    """Give JSON of one or more predictions as it is, or as old as it is."""
    return body if parts.is_current else stale(body, parts.condition.silent_seconds(parts.clock_ns()))


def prediction_json(parts: Parts, body: bytes) -> Response:
    """Answer with the JSON of predictions, as they are or as old as they are."""
    if parts.is_current:
        return live_json(body)
    age_seconds = parts.condition.silent_seconds(parts.clock_ns())
    answer = live_json(stale(body, age_seconds))
    answer.headers["Age"] = str(round(age_seconds))
    return answer
