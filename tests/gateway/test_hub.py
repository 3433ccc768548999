"""Who gets what."""

import json

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from gateway.hub import EVERYTHING, Hub, Subscriber
from gateway.latest import LatestView
from gateway.mailbox import Mailbox
from tests.gateway.samples import prediction

TICKERS = ("AAPL", "GOOG", "IBM")
WISHES = st.lists(st.sampled_from((*TICKERS, EVERYTHING)), max_size=3)


def tickers_in(mailbox: Mailbox) -> list[str]:
    return [json.loads(text)["ticker"] for _, text in mailbox.take(1_000, str)]


class Subscriptions(RuleBasedStateMachine):
    """Any order of joining, wishing and leaving, beside a model that is two lines long."""

    clients = Bundle("clients")

    def __init__(self) -> None:
        super().__init__()
        self.hub = Hub()
        self.view = LatestView()
        self.wishes: dict[Subscriber, set[str]] = {}
        self.offset = 0

    @rule(target=clients)
    def join(self) -> Subscriber:
        client = self.hub.join(Mailbox(100))
        self.wishes[client] = set()
        return client

    @rule(client=clients, tickers=WISHES)
    def subscribe(self, client: Subscriber, tickers: list[str]) -> None:
        self.hub.subscribe(client, tickers)
        wanted = self.wishes[client] | set(tickers)
        self.wishes[client] = {EVERYTHING} if EVERYTHING in wanted else wanted

    @rule(client=clients, tickers=WISHES)
    def unsubscribe(self, client: Subscriber, tickers: list[str]) -> None:
        self.hub.unsubscribe(client, tickers)
        self.wishes[client] = set() if EVERYTHING in tickers else self.wishes[client] - set(tickers)

    @rule(client=consumes(clients))
    def leave(self, client: Subscriber) -> None:
        self.hub.leave(client)
        del self.wishes[client]

    @rule(ticker=st.sampled_from(TICKERS))
    def publish(self, ticker: str) -> None:
        self.offset += 1
        entry = self.view.accept(prediction(ticker, self.offset))
        assert entry is not None
        self.hub.publish(entry)
        for client, wishes in self.wishes.items():
            wanted = ticker in wishes or EVERYTHING in wishes
            assert tickers_in(client.mailbox) == [ticker] * wanted

    @invariant()
    def lists_are_whole(self) -> None:
        assert len(self.hub) == len(self.wishes)
        for client, wishes in self.wishes.items():
            assert client.listed() == sorted(wishes)


TestSubscriptions = Subscriptions.TestCase


def test_a_client_that_left_gets_nothing_and_leaves_nothing() -> None:
    hub = Hub()
    client = hub.join(Mailbox(10))
    hub.subscribe(client, ["AAPL", "IBM"])
    hub.leave(client)
    entry = LatestView().accept(prediction("AAPL"))
    assert entry is not None
    hub.publish(entry)
    assert not len(client.mailbox)
    assert vars(hub) == vars(Hub())


def test_closing_closes_every_mailbox() -> None:
    hub = Hub()
    clients = [hub.join(Mailbox(10)) for _ in range(3)]
    hub.close()
    assert hub.closing
    assert all(client.mailbox.closed for client in clients)
