"""Users come in by name and password, stay by refresh tokens, and leave. What happened is logged, without secrets."""

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from gateway.access.keys import digest_of
from gateway.access.ledger import Ledger
from gateway.access.passwords import Passwords
from gateway.access.ring import KeyRing
from gateway.access.scopes import Scope
from gateway.access.session_store import Session, SessionStore
from gateway.access.settings import AccessSettings
from gateway.access.tokens import ACCESS_NS, Audience, Claims, TokenMint
from gateway.access.user_store import UserStore
from gateway.access.users import DEFAULT_SCOPES, UnusableAccountError, User, is_name, make_user, read_name
from gateway.limits.buckets import Buckets, Limit, LocalBuckets, whole_seconds
from gateway.limits.clients import network_of
from gateway.limits.reached import limit_reached
from gateway.problems import ProblemError, bad_request
from schemas.log_events import LogEvent, about
from schemas.times import NS_PER_SECOND

_DAY_SECONDS = 86_400
#: From one address; with one name from one address; with one name from anywhere, so high that it takes many addresses
#: to keep somebody out who comes by another one.
_BY_ADDRESS = Limit("log-ins-per-client", per_second=1 / 10, burst=30)
_BY_BOTH = Limit("log-ins-per-name-and-client", per_second=1 / 30, burst=10)
_BY_NAME = Limit("log-ins-per-name", per_second=1 / 5, burst=100)
_WRONG_REFRESH = "wrong-refresh-token"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a user comes in with."""

    user_id: str
    scopes: frozenset[Scope]
    access_token: str
    access_expires_ns: int
    refresh_token: str
    refresh_expires_ns: int


def _refused(name: str, detail: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNAUTHORIZED, name, detail, {"WWW-Authenticate": 'Bearer realm="tickcast"'})


class Accounts:
    """Whatever a user does before he has an access token."""

    def __init__(
        self,
        settings: AccessSettings,
        ledger: Ledger,
        ring: KeyRing,
        mint: TokenMint,
        clock_ns: Callable[[], int] = time.time_ns,
        make_buckets: Callable[[Limit], Buckets] = LocalBuckets,
        may_log: Callable[[str], bool] = lambda _reason: True,
    ) -> None:
        """Let users in.

        Args:
            make_buckets: Gives what log-ins are counted with, which hang on no wall clock.
            may_log: Tells whether one more refusal of a reason is logged; see `Refusals`.
        """
        self._settings = settings
        self._ledger = ledger
        self._ring = ring
        self._mint = mint
        self._clock_ns = clock_ns
        self._may_log = may_log
        self._passwords = Passwords()
        self._by_address = make_buckets(_BY_ADDRESS)
        self._by_both = make_buckets(_BY_BOTH)
        self._by_name = make_buckets(_BY_NAME)

    def close(self) -> None:
        """Let go of what was opened."""
        self._passwords.close()
        self._ledger.close()

    async def register(self, name: str, password: str, address: str) -> User:
        """Make a user of whoever wants to be one.

        Raises:
            ProblemError: 403: nobody may; 400 or 409: the name or the password cannot be used; 429: too often.
        """
        if not self._settings.registration_open:
            detail = "nobody can register here: ask who runs this gateway for a user, or an API key"
            raise ProblemError(HTTPStatus.FORBIDDEN, "registration-closed", detail)
        _let_try(self._by_address, network_of(address))
        try:
            user = make_user(name, password, DEFAULT_SCOPES, self._clock_ns())
        except UnusableAccountError as error:
            raise bad_request("invalid-input", error.field, str(error)) from error
        password_hash = await self._passwords.hash(password)
        try:
            await self._ledger.ask(lambda engine: UserStore(engine).add(user, password_hash))
        except UnusableAccountError as error:
            raise ProblemError(HTTPStatus.CONFLICT, "name-taken", str(error), field=error.field) from error
        said = about(LogEvent.USER_CHANGED, user=user.id, change="registered", address=address)
        _log.info("user %s has registered from %s", user.id, address, extra=said)
        return user

    async def log_in(self, name: str, password: str, address: str) -> Grant:
        """Let a user in. A name that nobody has takes as long as a wrong password, and gets the same answer.

        Raises:
            ProblemError: 401: not with these; 429: too often.
        """
        client, whose = network_of(address), read_name(name)
        _let_try(self._by_address, client)
        _let_try(self._by_both, f"{client} {whose}")  # before the name alone: who is refused takes none of that
        _let_try(self._by_name, whose)
        found = await self._ledger.ask(lambda engine: UserStore(engine).find(name)) if is_name(name) else None
        user, kept = found or (None, None)
        fits = await self._passwords.fits(password, kept)
        grant = await self._begin(user, kept) if user and kept and fits else None
        if grant is None:
            whose = f"user {user.id}" if user else "no such user"
            failed = about(LogEvent.LOG_IN_FAILED, user=user and user.id, address=address)
            _log.warning("failed log in from %s: %s", address, whose, extra=failed)
            raise _refused("wrong-log-in", "the username or the password is wrong")
        said = about(LogEvent.LOGGED_IN, user=grant.user_id, address=address)
        _log.info("user %s has logged in from %s", grant.user_id, address, extra=said)
        return grant

    async def _begin(self, user: User, password_hash: str) -> Grant | None:
        now_ns = self._clock_ns()
        expires_ns = now_ns + int(self._settings.session_days * _DAY_SECONDS) * NS_PER_SECOND
        session_id = secrets.token_hex(12)
        grant = self._grant(user.id, session_id, user.scopes, expires_ns)
        session = Session(session_id, user.id, digest_of(grant.refresh_token), now_ns, expires_ns)
        begun = await self._ledger.ask(lambda engine: SessionStore(engine).begin(session, password_hash))
        return grant if begun else None

    async def refresh(self, refresh_token: str, address: str) -> Grant:
        """Give new tokens for the newest refresh token of a session; an older one ends the session.

        Raises:
            ProblemError: 401: it is none, or not good any more.
        """
        claims, now_ns = self._refresh_claims(refresh_token), self._clock_ns()
        if claims is None or now_ns >= claims.exp * NS_PER_SECOND:
            if claims is not None:  # anybody can send what is none, and would fill the log with it
                self._note_refused(claims, address, "is over")
            raise _log_in_again()
        user = await self._ledger.ask(lambda engine: UserStore(engine).get(claims.sub))
        if user is not None:
            grant = self._grant(user.id, claims.sid, user.scopes, claims.exp * NS_PER_SECOND)
            used, following = digest_of(refresh_token), digest_of(grant.refresh_token)
            if await self._ledger.ask(lambda engine: SessionStore(engine).rotate(claims.sid, used, following, now_ns)):
                return grant
        if await self._end(claims):
            again = about(LogEvent.REFRESH_REUSED, user=claims.sub, address=address)
            text = "a refresh token of user %s was used again, from %s: its session ends"
            _log.warning(text, claims.sub, address, extra=again)
        else:
            self._note_refused(claims, address, "has ended")
        raise _log_in_again()

    def _note_refused(self, claims: Claims, address: str, why: str) -> None:
        if not self._may_log(_WRONG_REFRESH):
            return
        said = about(LogEvent.REFRESH_REFUSED, user=claims.sub, address=address, reason=f"the session {why}")
        _log.warning("refused a refresh from %s: the session of user %s %s", address, claims.sub, why, extra=said)

    async def revoke(self, refresh_token: str, address: str) -> None:
        """End the session of a refresh token, however old; one that is none is gone already."""
        claims = self._refresh_claims(refresh_token)
        if claims is not None and await self._end(claims):
            said = about(LogEvent.LOGGED_OUT, user=claims.sub, address=address)
            _log.info("user %s has logged out from %s", claims.sub, address, extra=said)

    def _grant(self, user_id: str, session_id: str, scopes: frozenset[Scope], expires_ns: int) -> Grant:
        now_ns = self._clock_ns()
        access = self._mint.access_token(user_id, session_id, scopes, now_ns)
        refresh = self._mint.refresh_token(user_id, session_id, now_ns, expires_ns)
        return Grant(user_id, scopes, access, now_ns + ACCESS_NS, refresh, expires_ns)

    def _refresh_claims(self, text: str) -> Claims | None:
        return self._mint.read(Audience.REFRESH, text)

    async def _end(self, claims: Claims) -> bool:
        now_ns = self._clock_ns()
        ended = await self._ledger.ask(lambda engine: SessionStore(engine).end(claims.sid, now_ns))
        self._ring.accept(ended_sessions=[claims.sid])
        return ended


def _let_try(buckets: Buckets, owner: str) -> None:
    left, next_ns = buckets.take(owner)
    if left < 0:
        seconds = whole_seconds(next_ns)
        detail = f"too many log-ins with this name, or from this address: try again in {seconds} s"
        raise limit_reached("too-many-log-ins", buckets.limit.name, detail, seconds)


def _log_in_again() -> ProblemError:
    return _refused(_WRONG_REFRESH, "this refresh token is not good (any more): log in again by POST /auth/token")
