"""What waits for a client is bounded, in order, and ends with the newest; what went missing shows."""

import json
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.entries import Entry
from gateway.latest import LatestView
from gateway.mailbox import FINALS, Mailbox
from gateway.messages import Message
from schemas.close_codes import CloseCode
from tests.gateway.samples import prediction

TICKERS = ("AAPL", "GOOG", "IBM", "MSFT", "FB")
CAPACITY = 4
EVERYTHING_BYTES = 100_000_000


def beat(count: int, skipped: int) -> Message:
    return Message("heartbeat", b'{"count":%d,"skipped":%d}' % (count, skipped))


def take(mailbox: Mailbox, maximum_bytes: int = EVERYTHING_BYTES, now_s: float = 0.0) -> list[Message]:
    messages = mailbox.take(maximum_bytes, now_s, beat)
    mailbox.sent()
    return messages


def said(messages: list[Message]) -> list[dict[str, Any]]:
    return [json.loads(message.payload) for message in messages]


def entry(ticker: str, number: int, *, final: bool = False) -> Entry:
    taken = LatestView().accept(prediction(ticker, number, provisional=not final), number)
    assert taken is not None
    return taken


class SlowClient(RuleBasedStateMachine):
    """Updates come, the client takes some, and sometimes none for a while; what it got is held against the log."""

    def __init__(self) -> None:
        super().__init__()
        self.mailbox = Mailbox(CAPACITY)
        self.view = LatestView()
        self.log: dict[str, list[dict[str, Any]]] = {ticker: [] for ticker in TICKERS}
        self.got: dict[str, list[dict[str, Any]]] = {ticker: [] for ticker in TICKERS}
        self.count = 0

    @rule(ticker=st.sampled_from(TICKERS), final=st.booleans())
    def publish(self, ticker: str, final: bool) -> None:
        self.count += 1
        made = self.view.accept(prediction(ticker, self.count, provisional=not final), self.count)
        assert made is not None
        self.mailbox.put(made, 0.0)
        self.log[ticker].append(json.loads(made.message().payload))

    @rule(messages=st.integers(1, 6))
    def take(self, messages: int) -> None:
        for _ in range(messages):
            for message in said(take(self.mailbox, maximum_bytes=1)):
                self.got[message["ticker"]].append(message)

    @rule()
    def wait(self) -> None:
        self.mailbox.conflate()

    @invariant()
    def a_gap_is_never_hidden(self) -> None:
        for ticker, got in self.got.items():
            assert all(one in self.log[ticker] for one in got)
            for before, after in pairwise(got):
                assert before["seq"] < after["seq"]
                between = [one for one in self.log[ticker] if before["seq"] < one["seq"] < after["seq"]]
                assert (after["prev"] != before["seq"]) == bool(between)

    @invariant()
    def no_final_is_missing(self) -> None:
        for ticker, got in self.got.items():
            finals = [one["seq"] for one in self.log[ticker] if not one["provisional"]]
            mine = [one["seq"] for one in got if not one["provisional"]]
            assert mine == finals[: len(mine)]

    def teardown(self) -> None:
        self.take(1_000)
        self.a_gap_is_never_hidden()
        for ticker, got in self.got.items():
            assert got[-1:] == self.log[ticker][-1:], "the newest always comes"
            assert [one for one in got if not one["provisional"]] == [
                one for one in self.log[ticker] if not one["provisional"]
            ], "and every final"
        assert sum(map(len, self.got.values())) + self.mailbox.skipped == self.count


TestSlowClient = SlowClient.TestCase


def test_finals_of_a_slow_client_are_bounded_and_of_each_ticker_the_newest_stays() -> None:
    mailbox = Mailbox(CAPACITY)
    mailbox.conflate()
    mailbox.put(entry("IBM", 0, final=True), 0.0)
    for number in range(1, 3 * FINALS):
        mailbox.put(entry("AAPL", number, final=True), 0.0)
        assert len(mailbox) <= FINALS
    assert mailbox.skipped > 0
    heard = said(take(mailbox))
    assert heard[0]["ticker"] == "IBM"
    assert heard[-1]["seq"] == 3 * FINALS - 1
    assert len(heard) + mailbox.skipped == 3 * FINALS


def test_a_client_that_keeps_up_misses_nothing_after_it_was_slow_too() -> None:
    mailbox = Mailbox(CAPACITY)
    for number in range(10):
        mailbox.put(entry("AAPL", number), 0.0)
    assert [one["seq"] for one in said(take(mailbox))] == [9]
    for number in range(10, 10 + CAPACITY):
        mailbox.put(entry("AAPL", number), 0.0)
    assert len(take(mailbox)) == CAPACITY


def test_the_oldest_unsent_message_says_how_long_it_has_waited() -> None:
    mailbox = Mailbox(CAPACITY)
    assert mailbox.waited_s(5.0) == 0
    mailbox.put(entry("AAPL", 1), 5.0)
    mailbox.put(entry("AAPL", 2), 6.0)
    assert mailbox.waited_s(6.5) == 1.5
    mailbox.conflate()
    assert mailbox.waited_s(6.5) == 1.5, "the ticker has waited, whichever update of it"
    assert len(mailbox.take(1, 7.0, beat)) == 1
    assert mailbox.waited_s(9.0) == 4.0, "what is in hand is not out yet"
    mailbox.sent()
    assert mailbox.waited_s(9.0) == 0


def test_behind_a_snapshot_that_moves_nothing_ages() -> None:
    mailbox = Mailbox(CAPACITY)
    mailbox.reply([partial(Message, "snapshot", b"{}") for _ in range(2)])
    mailbox.put(entry("AAPL", 1), 0.0)
    for at_s in (0.0, 8.0):
        assert [message.kind for message in mailbox.take(1, at_s, beat)] == ["snapshot"]
        assert mailbox.waited_s(at_s + 7.0) == 7.0
        mailbox.sent()
    assert mailbox.waited_s(9.0) == 1.0


@given(st.integers(1, 50))
def test_beats_that_were_not_sent_do_not_pile_up_and_the_counter_rises_by_one(unsent: int) -> None:
    mailbox = Mailbox(CAPACITY)
    counts = []
    for _ in range(3):
        for _ in range(unsent):
            mailbox.beat()
        (one,) = said(take(mailbox))
        counts.append(one["count"])
    assert counts == [1, 2, 3]


def test_replies_go_before_updates_and_a_heartbeat_tells_what_was_skipped() -> None:
    mailbox = Mailbox(1)
    for number in range(3):
        mailbox.put(entry("AAPL", number), 0.0)
    mailbox.beat()
    mailbox.reply([partial(Message, "error", b"{}")])
    taken = take(mailbox)
    assert [message.kind for message in taken] == ["error", "heartbeat", "prediction"]
    assert said(taken)[1]["skipped"] == 2
    assert said(taken)[2]["seq"] == 2


def test_replies_are_written_when_they_are_taken_and_no_more_than_there_is_room_for() -> None:
    mailbox = Mailbox(CAPACITY)
    written: list[int] = []

    def snapshot(number: int) -> Message:
        written.append(number)
        return Message("snapshot", b"%d" % number)

    mailbox.reply(partial(snapshot, number) for number in range(3))
    mailbox.put(entry("AAPL", 1), 0.0)
    assert (len(mailbox), written) == (4, [])
    for number in range(3):
        assert mailbox.has_replies
        assert [message.payload for message in take(mailbox, maximum_bytes=1)] == [b"%d" % number]
        assert written[-1] == number
    assert not mailbox.has_replies
    assert [message.kind for message in take(mailbox)] == ["prediction"]


@pytest.mark.parametrize("capacity", [1, 10])
def test_tickers_that_are_not_wanted_send_nothing_more_whether_conflated_or_not(capacity: int) -> None:
    mailbox = Mailbox(capacity)
    for number in range(4):
        for ticker in ("AAPL", "IBM"):
            mailbox.put(entry(ticker, number, final=number % 2 == 0), 0.0)
    mailbox.keep(lambda ticker: ticker == "IBM")
    assert {message["ticker"] for message in said(take(mailbox))} == {"IBM"}


def test_a_closed_mailbox_gives_nothing_and_the_first_reason_stays() -> None:
    mailbox = Mailbox(CAPACITY)
    mailbox.put(entry("AAPL", 1), 0.0)
    mailbox.reply([partial(Message, "error", b"{}")])
    mailbox.close(CloseCode.TOO_SLOW)
    mailbox.close(CloseCode.GOING_AWAY)
    assert take(mailbox) == []
    assert mailbox.closed is CloseCode.TOO_SLOW
