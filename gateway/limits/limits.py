"""Which limits a request counts against, and what it is told of them."""

from collections.abc import Callable

from starlette.types import Scope

from gateway.limits.buckets import Buckets, Limit, LocalBuckets, whole_seconds
from gateway.limits.clients import client_of
from gateway.limits.headers import LIMIT_HEADERS, policy_header, standing_header
from gateway.limits.reached import limit_reached
from gateway.limits.seats import LocalSeats, Seat, Seats
from gateway.limits.settings import LimitSettings
from gateway.limits.talk import Talk
from gateway.problems import ProblemError

#: Whether a process lives and is ready must be seen however much others ask.
_PROBES = frozenset({"/health/live", "/health/ready"})
#: The modules of the dashboard, dozens at a visit: bytes that are ready.
_PAGE_PARTS = "/page/"
#: By method and the first part of the path: what makes a predictor or the database work.
_COSTLY = frozenset(
    {
        ("POST", "predict"),
        ("GET", "history"),
        ("GET", "bars"),
        ("GET", "features"),
        ("POST", "feedback"),
        ("POST", "auth"),
        ("GET", "usage"),
    }
)
#: Likewise where they have a query: week by week, accuracy is a sum over all that is recorded.
_COSTLY_BY_QUERY = frozenset({("GET", "accuracy")})


def _is_costly(scope: Scope) -> bool:
    place = (scope.get("method"), scope["path"][1:].partition("/")[0])
    return place in _COSTLY or (place in _COSTLY_BY_QUERY and bool(scope["query_string"]))


def _too_many(limit: Limit, wait_seconds: int) -> ProblemError:
    detail = (
        f'the limit "{limit.name}" is reached: {limit.burst:,} at once, then {limit.per_second:g} a second; '
        f"try again in {wait_seconds} s"
    )
    return limit_reached("too-many-requests", limit.name, detail, wait_seconds)


class Meter:
    """One limit, with what it says of itself."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets
        self._name = buckets.limit.name
        self._policy = policy_header(buckets.limit)

    def take(self, scope: Scope, owner: str) -> ProblemError | None:
        """Count a request, give its answer the headers, and tell why it gets no other answer."""
        left, next_ns = self._buckets.take(owner)
        seconds = whole_seconds(next_ns)
        standing = standing_header(self._name, max(left, 0), seconds)
        scope[LIMIT_HEADERS] = (*scope.get(LIMIT_HEADERS, ()), self._policy, standing)
        return None if left >= 0 else _too_many(self._buckets.limit, seconds)


class Limits:
    """All limits of a gateway."""

    def __init__(
        self,
        settings: LimitSettings,
        make_buckets: Callable[[Limit], Buckets] = LocalBuckets,
        make_seats: Callable[[str, int], Seats] = LocalSeats,
    ) -> None:
        """Take the limits from the settings; `make_buckets` and `make_seats` give what each counts with."""
        self._key = Meter(make_buckets(settings.limit("key")))
        self._client = Meter(make_buckets(settings.limit("client")))
        self._costly = Meter(make_buckets(settings.limit("costly")))
        self._refused = Meter(make_buckets(settings.limit("refused")))
        self._messages = LocalBuckets(settings.limit("messages"))  # a connection is of one process
        self._client_seats = make_seats("streams-per-client", settings.limit_streams_per_client)
        self._key_seats = make_seats("streams-per-key", settings.limit_streams_per_key)

    def refusal(self, scope: Scope, key_id: str | None) -> ProblemError | None:
        """Count a request that is let in, for its key or else for its address; tell why it is not let in now."""
        path = scope["path"]
        if path in _PROBES or path.startswith(_PAGE_PARTS):
            return None
        owner = client_of(scope) if key_id is None else key_id
        refused = (self._client if key_id is None else self._key).take(scope, owner)
        if refused is None and _is_costly(scope):
            refused = self._costly.take(scope, owner)
        return refused

    def of_refused(self, scope: Scope, refused: ProblemError) -> ProblemError:
        """Count a request that is refused, for its address; give the refusal, or another one when they are too many."""
        return self._refused.take(scope, client_of(scope)) or refused

    def seat(self) -> Seat:
        """Give what a connection that stays is counted with; nothing is taken yet."""
        return Seat(self._client_seats, self._key_seats)

    def talk(self, session: str) -> Talk:
        """Give what the messages of a connection are counted with."""
        return Talk(self._messages, session)
