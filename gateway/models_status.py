"""Which models serve, for all tickers or for one: what `/models/status` and `/model/status/{ticker}` say."""

from typing import Any

import msgspec

from gateway.entries import Entry
from gateway.members import member_views
from gateway.model_wishes import POOLED
from gateway.parts import Parts
from schemas.events import ServiceState
from schemas.times import NS_PER_SECOND

#: How `degraded` ends where models are old, whether they answered or were refused, alone or after other reasons.
_OLD = b'retrain_recommended"'
_PREDICTOR = "predictor"

Document = dict[str, Any]


def models_status(parts: Parts) -> bytes:
    """Give the JSON of `/models/status`: how the models are, before what was decided."""
    return _beside(parts, _state(parts, parts.latest.entries()))


def ticker_models_status(parts: Parts, entry: Entry) -> bytes:
    """Give the JSON of `/model/status/{ticker}`: the same, and what answered for the ticker."""
    said = entry.form
    event = parts.models.newest
    answered = {
        "ticker": said.ticker,
        "note": POOLED,
        "answered_by": said.model_set,
        "degraded": said.degraded,
        "in_training": event is not None and said.ticker in event.tickers,
        "weights_version": said.weights_version,
        "intervals_version": said.intervals_version,
        "weights": {view.name: view.weight for view in member_views(said, said.prediction.horizon, None, None)},
        "updated_at": said.updated_at,
    }
    return _beside(parts, answered | _state(parts, [entry]))


def _beside(parts: Parts, state: Document) -> bytes:
    return msgspec.json.encode(state)[:-1] + b"," + parts.models.body[1:]


def _state(parts: Parts, entries: list[Entry]) -> Document:
    event = parts.models.newest
    loaded = event is not None and event.serving is not None
    now_ns, since_ns = parts.clock_ns(), parts.models.serving_since_ns
    predictor = parts.services.document(now_ns).get(_PREDICTOR, {}).get("state")
    drift, old = parts.scores.retrain_asked, any(_OLD in entry.body for entry in entries)
    return {
        "loaded": loaded,
        "ready": loaded and predictor == ServiceState.READY,
        "predictor": predictor,
        "versions": {member.name: member.version for member in event.members} if event and loaded else {},
        "age_seconds": max(0, now_ns - since_ns) / NS_PER_SECOND if loaded and since_ns is not None else None,
        "retrain_recommended": drift or old,
        "retrain_reasons": [*(["drift"] if drift else []), *(["age"] if old else [])],
    }
