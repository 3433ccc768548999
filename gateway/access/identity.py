"""Who a text speaks for: a key, an access token, or a ticket."""

from gateway.access.callers import Caller
from gateway.access.keys import KEY_PREFIX
from gateway.access.ring import KeyRing, Told
from gateway.access.tokens import TICKET_NS, Audience, Bearer, TokenMint, bearer_of, write_words
from schemas.times import NS_PER_SECOND


class Identity:
    """Finds callers, and watches over them."""

    def __init__(self, ring: KeyRing, mint: TokenMint) -> None:
        self._ring = ring
        self._mint = mint

    def find(self, text: str) -> Caller | None:
        """Give the caller of a key or an access token, whatever its state; None: nobody's."""
        if text.startswith(KEY_PREFIX):
            return self._ring.find(text)
        claims = self._mint.read(Audience.ACCESS, text)
        return None if claims is None else self._ring.as_now(bearer_of(claims, claims.exp))

    def ticket(self, caller: Caller, now_ns: int) -> tuple[str, int]:
        """Give a caller a ticket, and when it expires: until then it opens server-sent events, which go on for as long
        as he may stay."""
        until = None if caller.expires_ns is None else caller.expires_ns // NS_PER_SECOND
        session = caller.session if isinstance(caller, Bearer) else ""
        said = {"sub": caller.id, "sid": session, "scope": write_words(caller.scopes), "until": until}
        expires_ns = now_ns + TICKET_NS
        return self._mint.sign(Audience.EVENTS, now_ns, expires_ns, **said), expires_ns

    def of_ticket(self, text: str, now_ns: int) -> Caller | None:
        """Give whoever asked for a ticket, whatever his state; None: it is none, or has expired."""
        claims = self._mint.read(Audience.EVENTS, text)
        if claims is None or now_ns >= claims.exp * NS_PER_SECOND:
            return None
        if claims.sid and claims.until is not None:
            return self._ring.as_now(bearer_of(claims, claims.until))
        return self._ring.key(claims.sub)

    def watch(self, caller: Caller, told: Told) -> None:
        """Have changes of a caller told, at first as he is now, until `leave`."""
        self._ring.watch(caller, told)

    def leave(self, caller: Caller, told: Told) -> None:
        """Tell no more."""
        self._ring.leave(caller, told)
