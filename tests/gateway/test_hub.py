"""Who gets what, and who is too slow."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from gateway.entries import Entry
from gateway.hub import EVERYTHING, Audience, Hub, Subscriber
from gateway.latest import LatestView
from gateway.mailbox import Mailbox
from gateway.messages import Message
from gateway.wishes import Options
from schemas.close_codes import CloseCode
from tests.gateway.samples import horizon, prediction

TICKERS = ("AAPL", "GOOG", "IBM")
WISHES = st.lists(st.sampled_from((*TICKERS, EVERYTHING)), max_size=3)


def no_beat(_count: int, _skipped: int) -> Message:
    raise AssertionError("no heartbeat was asked for")


def taken(mailbox: Mailbox) -> list[dict[str, Any]]:
    messages = mailbox.take(10_000_000, 0.0, no_beat)
    mailbox.sent()
    return [json.loads(message.payload) for message in messages]


def entry(ticker: str, number: int, *, final: bool = True, confidence: float = 0.75) -> Entry:
    given = prediction(ticker, number, provisional=not final, horizons=[horizon(confidence=confidence)])
    made = LatestView().accept(given, number)
    assert made is not None
    return made


class Subscriptions(RuleBasedStateMachine):
    """Any order of joining, wishing and leaving, beside a model that is two lines long."""

    clients = Bundle("clients")

    def __init__(self) -> None:
        super().__init__()
        self.hub = Hub()
        self.audience = Audience()
        self.wishes: dict[Subscriber, set[str]] = {}
        self.offset = 0

    @rule(target=clients)
    def join(self) -> Subscriber:
        client = self.hub.join(self.audience, Mailbox(100))
        self.wishes[client] = set()
        return client

    @rule(client=clients, tickers=WISHES)
    def subscribe(self, client: Subscriber, tickers: list[str]) -> None:
        self.audience.subscribe(client, tickers)
        wanted = self.wishes[client] | set(tickers)
        self.wishes[client] = {EVERYTHING} if EVERYTHING in wanted else wanted

    @rule(client=clients, tickers=WISHES)
    def unsubscribe(self, client: Subscriber, tickers: list[str]) -> None:
        self.audience.unsubscribe(client, tickers)
        self.wishes[client] = set() if EVERYTHING in tickers else self.wishes[client] - set(tickers)

    @rule(client=consumes(clients))
    def leave(self, client: Subscriber) -> None:
        self.hub.leave(client)
        del self.wishes[client]

    @rule(ticker=st.sampled_from(TICKERS))
    def publish(self, ticker: str) -> None:
        self.offset += 1
        self.audience.publish(entry(ticker, self.offset), 0.0)
        for client, wishes in self.wishes.items():
            wanted = ticker in wishes or EVERYTHING in wishes
            assert [message["ticker"] for message in taken(client.mailbox)] == [ticker] * wanted

    @invariant()
    def lists_are_whole(self) -> None:
        assert len(self.hub) == len(self.wishes)
        for client, wishes in self.wishes.items():
            assert client.listed() == sorted(wishes)
        assert all(
            self.audience.wanted(ticker) == any({ticker, EVERYTHING} & wishes for wishes in self.wishes.values())
            for ticker in TICKERS
        )


TestSubscriptions = Subscriptions.TestCase


@pytest.mark.parametrize("tickers", [["AAPL", "IBM"], [EVERYTHING]])
def test_a_client_that_left_gets_nothing_and_leaves_nothing(tickers: list[str]) -> None:
    hub, audience = Hub(), Audience()
    client = hub.join(audience, Mailbox(10))
    audience.subscribe(client, tickers, Options(max_rate=1.0))
    hub.leave(client)
    audience.publish(entry("AAPL", 1), 0.0)
    assert not len(client.mailbox)
    assert vars(audience) == vars(Audience())
    assert not len(hub)


def test_closing_closes_every_mailbox_and_those_that_come_late_and_the_first_reason_stays() -> None:
    hub = Hub()
    clients = [hub.join(Audience(), Mailbox(10)) for _ in range(3)]
    hub.close(CloseCode.LOG_REPLACED)
    hub.close()
    late = hub.join(Audience(), Mailbox(10))
    assert hub.closing
    assert {client.mailbox.closed for client in (*clients, late)} == {CloseCode.LOG_REPLACED}


PLACES = st.lists(st.tuples(st.sampled_from(TICKERS), st.booleans(), st.sampled_from([0.5, 0.6, 0.9])), max_size=30)


@given(PLACES, st.booleans(), st.none() | st.sampled_from([0.55, 0.9]))
def test_a_subscription_with_options_gets_exactly_what_they_let_through(
    places: list[tuple[str, bool, float]], final_only: bool, least: float | None
) -> None:
    audience, mailbox = Audience(), Mailbox(100)
    client = Hub().join(audience, mailbox)
    audience.subscribe(client, [EVERYTHING], Options(final_only=final_only, min_confidence=least))
    for number, (ticker, final, confidence) in enumerate(places):
        audience.publish(entry(ticker, number, final=final, confidence=confidence), 0.0)
    expected = [
        number
        for number, (_, final, confidence) in enumerate(places)
        if (final or not final_only) and (least is None or confidence >= least)
    ]
    assert [message["seq"] for message in taken(mailbox)] == expected


@given(st.lists(st.tuples(st.sampled_from(TICKERS), st.booleans(), st.floats(0, 0.4)), max_size=40))
def test_max_rate_spaces_provisionals_lets_every_final_through_and_ends_with_the_newest(
    places: list[tuple[str, bool, float]],
) -> None:
    audience, mailbox = Audience(), Mailbox(1_000)
    client = Hub().join(audience, mailbox)
    audience.subscribe(client, [EVERYTHING], Options(max_rate=2.0))
    now_s = 0.0
    heard: list[tuple[float, dict[str, Any]]] = []
    newest: dict[str, int] = {}
    for number, (ticker, final, step) in enumerate(places):
        now_s += step
        audience.release(now_s)
        audience.publish(entry(ticker, number, final=final), now_s)
        heard += [(now_s, message) for message in taken(mailbox)]
        newest[ticker] = number
    audience.release(now_s + 0.5)
    heard += [(now_s + 0.5, message) for message in taken(mailbox)]
    finals = [number for number, (_, final, _) in enumerate(places) if final]
    assert [message["seq"] for _, message in heard if not message["provisional"]] == finals
    for ticker, last in newest.items():
        mine = [(at, message) for at, message in heard if message["ticker"] == ticker]
        assert mine[-1][1]["seq"] == last
        for (before, older), (at, message) in pairwise(mine):
            assert older["seq"] < message["seq"]
            assert not message["provisional"] or at - before >= 0.5 - 1e-9


@pytest.mark.parametrize("tickers", [["AAPL"], [EVERYTHING]])
def test_what_is_subscribed_to_again_likewise_still_gets_the_newest_that_waited_and_no_sooner(
    tickers: list[str],
) -> None:
    audience, mailbox = Audience(), Mailbox(10)
    client = Hub().join(audience, mailbox)
    audience.subscribe(client, tickers, Options(max_rate=1.0))
    for number, now_s in ((1, 0.0), (2, 0.2)):
        audience.publish(entry("AAPL", number, final=False), now_s)
    audience.subscribe(client, [*tickers, "IBM"], Options(max_rate=1.0))
    audience.release(0.9)
    assert [message["seq"] for message in taken(mailbox)] == [1]
    audience.release(1.0)
    assert [message["seq"] for message in taken(mailbox)] == [2]


def test_a_client_that_waits_is_conflated_then_closed_and_the_others_are_let_be() -> None:
    hub, audience = Hub(), Audience()
    slow, quick = (hub.join(audience, Mailbox(100)) for _ in range(2))
    for client in (slow, quick):
        audience.subscribe(client, [EVERYTHING])

    def sweep(now_s: float) -> None:
        hub.sweep(now_s, heartbeat_s=10.0, conflate_after_s=1.0, close_after_s=10.0)

    for number in range(3):
        audience.publish(entry("AAPL", number, final=False), 0.0)
    assert len(taken(quick.mailbox)) == 3
    sweep(0.9)
    assert len(slow.mailbox) == 3
    sweep(1.0)
    assert len(slow.mailbox) == 1
    sweep(9.9)
    assert slow.mailbox.closed is None
    sweep(10.0)
    assert slow.mailbox.closed is CloseCode.TOO_SLOW
    assert quick.mailbox.closed is None


def test_heartbeats_are_due_one_after_another() -> None:
    hub, mailbox = Hub(), Mailbox(100)
    hub.join(Audience(), mailbox, beat_at_s=10.0)
    beats = []
    for now_s in (9.9, 10.0, 10.1, 19.9, 20.0):
        hub.sweep(now_s, heartbeat_s=10.0, conflate_after_s=1.0, close_after_s=10.0)
        beats += mailbox.take(1, now_s, lambda count, _: Message("heartbeat", b"%d" % count))
        mailbox.sent()
    assert [beat.payload for beat in beats] == [b"1", b"2"]
