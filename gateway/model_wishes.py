"""What callers ask of the trainer, read from path and body with errors that name the field and the fix. Pure."""

from collections.abc import Collection
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from gateway.bodies import read_as
from gateway.job_ids import request_digest
from gateway.problems import ProblemError, bad_request
from gateway.system import ModelsView
from schemas.decisions import MOST_SHARE
from schemas.events import CommandAction, ModelCommand, ModelRole

#: Sets that a 404 names.
_NAMED = 20

POOLED = "models are pooled: one set serves all tickers, and a ticker's retrain is the set's"

Reason = Annotated[str, Meta(max_length=200)]
Share = Annotated[float, Meta(ge=0, le=MOST_SHARE)]


class ReasonBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why; it stands in `models` beside the decision."""

    reason: Reason = ""


class UnloadBody(ReasonBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As which one the set is to go: the one that serves, or the challenger."""

    role: ModelRole = ModelRole.SERVING


class LoadBody(UnloadBody, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """To serve, or to be shown beside the set that does; as a challenger it may answer a share of the tickers."""

    share: Share = 0.0


class Wish(Struct, frozen=True, kw_only=True):
    """What is asked for, whoever asks."""

    action: CommandAction
    reason: str
    model_set: str | None = None
    role: ModelRole = ModelRole.SERVING
    share: float = 0.0
    ticker: str | None = None

    @property
    def about(self) -> str:
        """Say what it changes."""
        return self.model_set or self.ticker or "the set before"

    @property
    def note(self) -> str | None:
        """Say what who asks may not expect."""
        return POOLED if self.action is CommandAction.RETRAIN else None

    def digest(self) -> str:
        """Give what tells this wish from others."""
        return request_digest(msgspec.to_builtins(self))

    def command(self, job_id: str, requested_by: str, now_ns: int) -> ModelCommand:
        """Give the command to the trainer. Models are pooled: of the ticker only the evidence tells."""
        return ModelCommand(
            id=job_id,
            action=self.action,
            requested_by=requested_by,
            requested_at_ns=now_ns,
            model_set=self.model_set,
            reason=self.reason or "asked over the API",
            role=self.role,
            share=self.share,
            evidence={} if self.ticker is None else {"ticker": self.ticker},
        )


def retrain_wish(ticker: str, given: Any) -> Wish:
    """Ask for a refresh, for a ticker that is known.

    Raises:
        ProblemError: 400.
    """
    body = read_as(given, ReasonBody, '{"reason": "the monthly retraining"}')
    return Wish(action=CommandAction.RETRAIN, reason=body.reason, ticker=ticker)


def load_wish(models: ModelsView, name: str, given: Any) -> Wish:
    """Ask for a set to serve, or to challenge.

    Raises:
        ProblemError: 400, or 404 for a set that no decision gave a part.
    """
    _require_known(name, models.known)
    body = read_as(given, LoadBody, '{"role": "challenger", "share": 0.1}')
    if body.share and body.role is not ModelRole.CHALLENGER:
        raise bad_request("invalid-input", "share", 'share is a challenger\'s: add "role": "challenger"')
    return Wish(action=CommandAction.LOAD, reason=body.reason, model_set=name, role=body.role, share=body.share)


def unload_wish(models: ModelsView, name: str, given: Any) -> Wish:
    """Ask for the serving set to serve no more, or for the challenger to be none.

    Raises:
        ProblemError: 400, or 404 for a set that no decision gave a part. One that has no part now is the trainer's to
            refuse: whoever asks again with the same key is told what became of it.
    """
    _require_known(name, models.known)
    body = read_as(given, UnloadBody, '{"role": "challenger", "reason": "it errs"}')
    return Wish(action=CommandAction.UNLOAD, reason=body.reason, model_set=name, role=body.role)


def rollback_wish(given: Any) -> Wish:
    """Ask for the set that served before.

    Raises:
        ProblemError: 400.
    """
    body = read_as(given, ReasonBody, '{"reason": "it errs"}')
    return Wish(action=CommandAction.ROLLBACK, reason=body.reason)


def _require_known(name: str, known: Collection[str]) -> None:
    if name in known:
        return
    named = list(known)[-_NAMED:][::-1]
    there = f"those that serve or did are {', '.join(named)}" if named else "none has served yet"
    detail = f"no decision has given a model set {name[:100]!r} a part: {there}; `tickcast models` loads others"
    raise ProblemError(HTTPStatus.NOT_FOUND, "unknown-model", detail, field="name", known_models=named)
