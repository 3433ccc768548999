"""The rules of the protocol, as the client follows them."""

from random import Random
from typing import Any

import pytest

from gateway.client import Disconnected, Gap, ProtocolError, RefusedError, StartedAnew
from gateway.client.backoff import Backoff
from gateway.client.credentials import Credentials
from gateway.client.reconnection import Reconnection
from gateway.client.session import FIRST_PATIENCE_SECONDS, Session
from gateway.client.wire import write
from gateway.client.wishes import Options
from schemas.close_codes import CloseCode
from schemas.sockets import Auth, AuthExpiring, ErrorMessage, ServerShutdown, Since, Snapshot, Subscribe, Unsubscribe
from tests.gateway_client.samples import forming_bar, streamed, subscribed, update, welcome

EVERY_UPDATE = Options()
NOBODY = Credentials()


def session_of(
    *tickers: str,
    options: Options = EVERY_UPDATE,
    credentials: Credentials = NOBODY,
) -> Session:
    session = Session(options, credentials, Reconnection(Backoff(Random(1))))
    session.subscribe(tickers)
    return session


def greeted(*tickers: str, **options: Any) -> Session:
    """Give a session that got a snapshot without anything of these tickers' updates so far."""
    session = session_of(*tickers, options=Options(**options))
    session.hear(welcome())
    gapless = not any(value for name, value in options.items() if name != "format")
    session.hear(subscribed(*tickers, gapless=gapless))
    return session


def asked(session: Session) -> Subscribe:
    """Connect again, and give what it asks for."""
    session.lost()
    (request,) = session.hear(welcome()).messages
    assert isinstance(request, Subscribe)
    return request


def test_it_says_who_it_is_before_it_asks_and_asks_for_what_it_was_told() -> None:
    tokens = iter(["first", "second"])
    session = session_of("aapl", options=Options(max_rate=2.0), credentials=Credentials(token=lambda: next(tokens)))
    first, request = session.hear(welcome()).messages
    assert first == Auth(token="first")
    assert request == Subscribe(tickers=["AAPL"], id="1", max_rate=2.0)
    session.lost()
    assert session.hear(welcome()).messages[0] == Auth(token="second")
    keyed = session_of("AAPL", credentials=Credentials(api_key="tc_1_x"))
    assert keyed.hear(welcome()).messages[0] == Auth(key="tc_1_x")


def test_before_a_token_expires_it_says_who_it_is_by_another_one() -> None:
    tokens = iter(["first", "second"])
    session = session_of("AAPL", credentials=Credentials(token=lambda: next(tokens)))
    session.hear(welcome())
    expiring = AuthExpiring(expires_at="2024-01-01T12:10:00Z")
    assert session.hear(expiring).messages == [Auth(token="second")]
    keyed = session_of("AAPL", credentials=Credentials(api_key="tc_1_x"))
    keyed.hear(welcome())
    assert (keyed.hear(expiring).messages, keyed.hear(expiring).events) == ([], [expiring])


def test_wishes_are_sent_at_once_in_a_conversation_and_kept_for_the_next_one() -> None:
    session = session_of("AAPL")
    assert session.subscribe(["MSFT"]) == [], "nobody listens yet"
    assert session.hear(welcome()).messages == [Subscribe(tickers=["AAPL", "MSFT"], id="1")]
    assert session.subscribe(["IBM"]) == [Subscribe(tickers=["IBM"], id="2")]
    assert session.unsubscribe(["AAPL"]) == [Unsubscribe(tickers=["AAPL"], id="3")]
    assert asked(session).tickers == ["MSFT", "IBM"]
    session.subscribe(["*"])
    assert asked(session).tickers == ["*"]
    with pytest.raises(ValueError, match="unsubscribe"):
        session.unsubscribe(["IBM"])


def test_what_is_no_ticker_is_refused_before_it_is_sent() -> None:
    with pytest.raises(ValueError, match="not a symbol"):
        session_of("AAPL").subscribe(["$"])
    with pytest.raises(TypeError, match="list"):
        session_of().subscribe("AAPL")


def test_it_resumes_where_it_was_with_what_it_still_wants() -> None:
    session = greeted("AAPL", "MSFT", "IBM")
    for message in (update("AAPL", 5, 3), update("MSFT", 9, 8), update("MSFT", 12, 9), update("GOOG", 1, None)):
        session.hear(message)
    session.unsubscribe(["AAPL"])
    assert asked(session).since == Since(epoch="one", seq={"MSFT": 12})


def test_a_request_that_would_be_too_large_asks_for_snapshots_instead() -> None:
    session = greeted("*")
    session.hear(Snapshot([streamed(f"T{number}", number, None) for number in range(6_000)]))
    request = asked(session)
    assert request.since is not None
    assert len(write(request)) <= 65_536
    assert 1_000 < len(request.since.seq) < 6_000


def test_an_update_that_does_not_follow_the_last_is_a_gap_and_one_that_came_before_is_passed_over() -> None:
    session = greeted("AAPL")
    assert session.hear(update("AAPL", 5, 3)).events == [update("AAPL", 5, 3)], "the first is where it begins"
    assert session.hear(update("AAPL", 7, 5)).events == [update("AAPL", 7, 5)]
    assert session.hear(update("AAPL", 12, 9)).events == [Gap("AAPL", 7, 12), update("AAPL", 12, 9)]
    assert session.hear(update("AAPL", 9, 7)).events == []
    assert session.hear(update("AAPL", 12, 9)).events == []


def test_what_is_missing_before_a_snapshot_is_told_and_what_it_repeats_is_not() -> None:
    session = greeted("AAPL", "MSFT")
    session.hear(Snapshot([streamed("AAPL", 5, 3), streamed("MSFT", 6, 2)]))
    asked(session)
    session.hear(subscribed("AAPL", "MSFT", recovered=False, lost=["AAPL", "MSFT"]))
    events = session.hear(Snapshot([streamed("AAPL", 20, 15), streamed("MSFT", 6, 2)])).events
    assert events == [Gap("AAPL", 5, 20), Snapshot([streamed("AAPL", 20, 15)])]


@pytest.mark.parametrize("prev", [None, 4])
def test_the_first_update_of_a_ticker_that_had_none_is_a_gap_where_the_server_knows_of_earlier_ones(
    prev: int | None,
) -> None:
    named = session_of("NEW")
    named.hear(welcome())
    named.hear(subscribed("NEW", unknown=["NEW"]))
    everything = greeted("*")
    everything.hear(Snapshot([streamed("AAPL", 5, 3)], complete=False))
    everything.hear(Snapshot([], complete=True))
    gaps = [] if prev is None else [Gap("NEW", None, 7)]
    for session in (named, everything):
        assert session.hear(update("NEW", 7, prev)).events == [*gaps, update("NEW", 7, prev)]


def test_with_a_rate_finals_are_held_against_finals() -> None:
    session = greeted("AAPL", max_rate=1.0)
    session.hear(update("AAPL", 5, 3, provisional=False, prev_final=2))
    provisional = update("AAPL", 9, 8, provisional=True)
    assert session.hear(provisional).events == [provisional]
    following = update("AAPL", 11, 10, provisional=False, prev_final=5)
    assert session.hear(following).events == [following]
    later = update("AAPL", 20, 19, provisional=False, prev_final=15)
    assert session.hear(later).events == [Gap("AAPL", 11, 20), later]


def test_with_a_least_confidence_nothing_is_a_gap() -> None:
    session = greeted("AAPL", min_confidence=0.6)
    session.hear(update("AAPL", 5, 3, provisional=False, prev_final=2))
    assert len(session.hear(update("AAPL", 20, 19, provisional=False, prev_final=15)).events) == 1


def test_forming_bars_come_as_they_are_while_they_are_wanted() -> None:
    session = greeted("AAPL")
    assert session.hear(forming_bar("AAPL")).events == [forming_bar("AAPL")]
    assert session.hear(forming_bar("MSFT")).events == []


def test_a_topic_made_anew_is_told_and_nothing_of_before_counts() -> None:
    session = greeted("AAPL")
    session.hear(update("AAPL", 500, 400))
    session.lost()
    step = session.hear(welcome("two"))
    assert step.events == [welcome("two"), StartedAnew("two")]
    assert step.messages == [Subscribe(tickers=["AAPL"], id="2")]
    assert session.hear(subscribed("AAPL", epoch="two")).events == [subscribed("AAPL", epoch="two")]
    assert session.hear(update("AAPL", 0, None)).events == [update("AAPL", 0, None)]


def test_what_the_gateway_refused_is_not_asked_for_again() -> None:
    session = greeted("AAPL")
    (request,) = session.subscribe(["MSFT"])
    error = ErrorMessage(code="too_many_tickers", message="no", id=request.id)
    assert session.hear(error).events == [error]
    assert asked(session).tickers == ["AAPL"]


def test_another_version_of_the_protocol_is_said() -> None:
    with pytest.raises(ProtocolError, match="protocol 3"):
        session_of("AAPL").hear(welcome(protocol=3))


def test_patience_is_by_the_heartbeat_once_it_is_known() -> None:
    session = session_of("AAPL")
    assert session.patience_seconds == FIRST_PATIENCE_SECONDS
    session.hear(welcome(heartbeat_seconds=2.0))
    assert session.patience_seconds == 5.0
    session.lost()
    assert session.patience_seconds == FIRST_PATIENCE_SECONDS


@pytest.mark.parametrize("code", [1000, 1002, 1008, 4500, 4999, *(code for code in CloseCode if code >= 4500)])
def test_these_closes_end_it(code: int) -> None:
    with pytest.raises(RefusedError) as refused:
        Reconnection(Backoff(Random(1))).after_close(code, "why", 1.0)
    assert refused.value.code == code


@pytest.mark.parametrize("code", [None, 1001, 1006, 1011, 1012, 1013, 4000, 4499])
def test_after_these_it_comes_back(code: int | None) -> None:
    said = Reconnection(Backoff(Random(1))).after_close(code, "why", 1.0)
    assert (said.code, said.reason) == (code, "why")
    assert 0 <= said.retry_after_seconds <= 0.5


@pytest.mark.parametrize("status", [400, 401, 403, 404, 421])
def test_these_refusals_of_the_handshake_end_it(status: int) -> None:
    with pytest.raises(RefusedError):
        Reconnection(Backoff(Random(1))).after_refusal(status, "why", None)


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_after_these_refusals_it_waits_as_long_as_it_is_told(status: int) -> None:
    said = Reconnection(Backoff(Random(1))).after_refusal(status, "why", 5.0)
    assert 5.0 <= said.retry_after_seconds <= 5.5


def test_a_gateway_that_shuts_down_says_when_to_come_back_and_says_it_once() -> None:
    session = greeted("AAPL")
    session.hear(ServerShutdown(reconnect_after_ms=1_234, message="bye"))
    assert session.reconnection.after_close(1001, "", 99.0) == Disconnected(1001, "", 1.234)
    assert session.reconnection.after_close(1001, "", 99.0).retry_after_seconds != 1.234


def test_delays_are_drawn_from_0_to_a_bound_that_doubles_and_begins_again_after_a_steady_connection() -> None:
    bounds = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    drawn = []
    for seed in range(300):
        backoff = Backoff(Random(seed))
        drawn.append([backoff.next_delay_seconds() for _ in bounds])
        assert backoff.next_delay_seconds(lasted_seconds=60.0) <= 0.5
    for delays, bound in zip(zip(*drawn, strict=True), bounds, strict=True):
        assert 0 <= min(delays) < 0.05 * bound
        assert 0.95 * bound < max(delays) <= bound
