"""All keys and users in memory, and the connections that were opened with each."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace

from gateway.access.callers import Caller
from gateway.access.keys import ApiKey, digest_of
from gateway.access.scopes import write_scopes
from gateway.access.tokens import Bearer
from gateway.access.users import User
from schemas.log_events import LogEvent, about

Told = Callable[[Caller], None]

#: Ended sessions that are remembered; beyond, the oldest are forgotten, whose access tokens have long expired.
_ENDED_KEPT = 100_000

_log = logging.getLogger(__name__)


class KeyRing:
    """Finds a key by its text in one look-up, tells how a caller stands now, and tells open connections of every
    change of theirs."""

    def __init__(self) -> None:
        self._by_digest: dict[str, ApiKey] = {}
        self._by_id: dict[str, ApiKey] = {}
        self._users: dict[str, User] = {}
        self._ended: dict[str, None] = {}
        self._watchers: dict[str, dict[Told, Caller]] = {}

    def accept(
        self, keys: Iterable[ApiKey] = (), users: Iterable[User] = (), ended_sessions: Iterable[str] = ()
    ) -> None:
        """Take keys, users and the ends of sessions as they are now; those that did not change tell nobody."""
        for key in keys:
            old, self._by_id[key.id] = self._by_id.get(key.id), key
            self._by_digest[key.sha256] = key
            if old is not None and old != key:
                change = "revoked" if key.revoked_ns else "it ends at another time"
                _log.info(
                    "%s has changed: %s", key.who, change, extra=about(LogEvent.KEY_CHANGED, key=key.id, change=change)
                )
                self._tell(key.id)
        for user in users:
            known, self._users[user.id] = self._users.get(user.id), user
            if known is not None and known != user:
                state = "disabled" if user.disabled_ns else f"scopes {write_scopes(user.scopes)}"
                said = about(LogEvent.USER_CHANGED, user=user.id, change=state)
                _log.info("user %s has changed: %s", user.id, state, extra=said)
            self._tell(user.id)
        for session in ended_sessions:
            if session not in self._ended:
                self._ended[session] = None
                self._tell(session)
        while len(self._ended) > _ENDED_KEPT:
            del self._ended[next(iter(self._ended))]

    def find(self, text: str) -> ApiKey | None:
        """Give the key of a text, whatever its state."""
        return self._by_digest.get(digest_of(text))

    def key(self, identifier: str) -> ApiKey | None:
        """Give a key by its id, whatever its state."""
        return self._by_id.get(identifier)

    def as_now(self, caller: Caller) -> Caller:
        """Give a caller as he stands now."""
        if not isinstance(caller, Bearer):
            return self._by_id.get(caller.id, caller)
        user = self._users.get(caller.id)
        ended = caller.session in self._ended
        if user is None:
            return replace(caller, revoked=ended)
        revoked = ended or user.disabled_ns is not None
        return replace(caller, known=True, revoked=revoked, scopes=caller.scopes & user.scopes)

    def watch(self, caller: Caller, told: Told) -> None:
        """Have changes of a caller told, at first as he is now, until `leave`."""
        for name in _names(caller):
            self._watchers.setdefault(name, {})[told] = caller
        told(self.as_now(caller))

    def leave(self, caller: Caller, told: Told) -> None:
        """Tell no more."""
        for name in _names(caller):
            watchers = self._watchers.get(name, {})
            watchers.pop(told, None)
            if not watchers:
                self._watchers.pop(name, None)

    def _tell(self, name: str) -> None:
        for told, caller in tuple(self._watchers.get(name, {}).items()):
            told(self.as_now(caller))


def _names(caller: Caller) -> tuple[str, ...]:
    return (caller.id, caller.session) if isinstance(caller, Bearer) else (caller.id,)
