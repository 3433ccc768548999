"""How an answer says that nothing new comes: Kafka cannot be reached, or the ingestor's source is in trouble."""

from starlette.responses import Response

from gateway.parts import Parts
from gateway.routes.live import live_json
from schemas.events import OLD_MODELS

#: What `degraded` says then, where the predictor had nothing worse to say.
KAFKA = "kafka: not answering; the last known prediction"
SOURCE = "source: in trouble, see /health; the last known prediction"


def stale(body: bytes, reason: str, age_seconds: float) -> bytes:
    """Give JSON of one or more predictions with its age, and with a reason in each whose models answered in full."""
    marked = body.replace(b'"degraded":null', b'"degraded":"%b"' % reason.encode())
    old = OLD_MODELS.encode()
    marked = marked.replace(b'"degraded":"%b"' % old, b'"degraded":"%b; %b"' % (reason.encode(), old))
    return b'{"age_seconds":%.1f,%b' % (age_seconds, marked[1:])


def as_known(parts: Parts, body: bytes) -> bytes:
    """Give JSON of one or more predictions as it is, or as old as it is."""
    return body if parts.is_current else stale(body, *_reason_and_age(parts))


def prediction_json(parts: Parts, body: bytes) -> Response:
    """Answer with the JSON of predictions, as they are or as old as they are."""
    if parts.is_current:
        return live_json(body)
    reason, age_seconds = _reason_and_age(parts)
    answer = live_json(stale(body, reason, age_seconds))
    answer.headers["Age"] = str(round(age_seconds))
    return answer


def _reason_and_age(parts: Parts) -> tuple[str, float]:
    now_ns = parts.clock_ns()
    if parts.hears_kafka:
        return SOURCE, parts.predictions.age_seconds(now_ns) or 0.0
    return KAFKA, parts.condition.silent_seconds(now_ns)
