"""What waits for a client is bounded, in order, and ends with the latest."""

import json
from functools import partial
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.latest import Entry, LatestView
from gateway.mailbox import Mailbox, Outgoing
from tests.gateway.samples import prediction

TICKERS = ("AAPL", "GOOG", "IBM", "MSFT", "FB")
CAPACITY = 4


def timestamp() -> str:
    return "2024-01-01T12:00:00Z"


def entry(ticker: str, number: int) -> Entry:
    taken = LatestView().accept(prediction(ticker, number))
    assert taken is not None
    return taken


class SlowClient(RuleBasedStateMachine):
    """Updates come, the client takes some; what it got is compared with what was published."""

    def __init__(self) -> None:
        super().__init__()
        self.mailbox = Mailbox(CAPACITY)
        self.published: dict[str, list[int]] = {ticker: [] for ticker in TICKERS}
        self.got: dict[str, list[int]] = {ticker: [] for ticker in TICKERS}
        self.count = 0
        self.slow = False

    @rule(ticker=st.sampled_from(TICKERS))
    def publish(self, ticker: str) -> None:
        self.count += 1
        self.slow = (self.slow and len(self.mailbox) > 0) or len(self.mailbox) >= CAPACITY
        skipped = self.mailbox.skipped
        self.mailbox.put(entry(ticker, self.count))
        self.published[ticker].append(self.count)
        assert self.slow or self.mailbox.skipped == skipped, "a client that keeps up misses nothing"

    @rule(limit=st.integers(1, 6))
    def take(self, limit: int) -> None:
        for kind, text in self.mailbox.take(limit, timestamp):
            assert kind == "prediction"
            message = json.loads(text)
            self.got[message["ticker"]].append(message["source_offset"])

    @invariant()
    def bounded(self) -> None:
        assert len(self.mailbox) <= max(CAPACITY, len(TICKERS))

    @invariant()
    def in_order_and_nothing_made_up(self) -> None:
        for ticker, got in self.got.items():
            assert all(before < after for before, after in pairwise(got))
            assert set(got) <= set(self.published[ticker])

    def teardown(self) -> None:
        self.take(1_000)
        for ticker, got in self.got.items():
            assert got[-1:] == self.published[ticker][-1:], "the latest always comes"
        assert sum(map(len, self.got.values())) + self.mailbox.skipped == self.count


TestSlowClient = SlowClient.TestCase


@given(st.integers(1, 50))
def test_beats_that_were_not_sent_do_not_pile_up_and_the_counter_rises_by_one(unsent: int) -> None:
    mailbox = Mailbox(CAPACITY)
    counts = []
    for _ in range(3):
        for _ in range(unsent):
            mailbox.beat()
        (beat,) = mailbox.take(10, timestamp)
        counts.append(json.loads(beat[1])["count"])
    assert counts == [1, 2, 3]


def test_replies_go_before_updates_and_a_heartbeat_tells_what_was_skipped() -> None:
    mailbox = Mailbox(1)
    for number in range(3):
        mailbox.put(entry("AAPL", number))
    mailbox.beat()
    mailbox.reply([lambda: ("error", "{}")])
    taken = mailbox.take(10, timestamp) + mailbox.take(10, timestamp)
    assert [kind for kind, _ in taken] == ["error", "heartbeat", "prediction"]
    assert json.loads(taken[1][1])["skipped"] == 2
    assert json.loads(taken[2][1])["source_offset"] == 2


def test_replies_are_written_one_at_a_time_when_they_are_taken() -> None:
    mailbox = Mailbox(CAPACITY)
    written: list[int] = []

    def snapshot(number: int) -> Outgoing:
        written.append(number)
        return "snapshot", str(number)

    mailbox.reply(partial(snapshot, number) for number in range(3))
    mailbox.put(entry("AAPL", 1))
    assert (len(mailbox), written) == (4, [])
    for number in range(3):
        assert mailbox.has_replies
        assert mailbox.take(10, timestamp) == [("snapshot", str(number))]
        assert written[-1] == number
    assert not mailbox.has_replies
    assert [kind for kind, _ in mailbox.take(10, timestamp)] == ["prediction"]


def test_dropped_tickers_send_nothing_more_whether_conflated_or_not() -> None:
    for capacity in (1, 10):
        mailbox = Mailbox(capacity)
        for number in range(3):
            mailbox.put(entry("AAPL", number))
            mailbox.put(entry("IBM", number))
        mailbox.drop(lambda ticker: ticker == "IBM")
        messages = [json.loads(text) for _, text in mailbox.take(10, timestamp)]
        assert {message["ticker"] for message in messages} == {"IBM"}


def test_a_closed_mailbox_gives_nothing() -> None:
    mailbox = Mailbox(CAPACITY)
    mailbox.put(entry("AAPL", 1))
    mailbox.reply([lambda: ("error", "{}")])
    mailbox.close()
    assert mailbox.take(10, timestamp) == []
