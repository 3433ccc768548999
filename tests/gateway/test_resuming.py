"""Clients that come and go between two gateways: what they miss is always told to them, and never made up."""

import dataclasses
import json
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.conversation import Conversation
from gateway.mailbox import Mailbox
from gateway.messages import Message
from gateway.parts import Parts
from schemas.events import Prediction
from tests.gateway.contract import read_message
from tests.gateway.samples import NOON_NS, make_parts, prediction

TICKERS = ("AAPL", "IBM")
SECOND_NS = 1_000_000_000


class Gateway:
    """One replica: it reads the common log, sometimes a little later than the other."""

    def __init__(self) -> None:
        self.now_ns = NOON_NS
        self.parts: Parts = dataclasses.replace(make_parts(), clock_ns=lambda: self.now_ns)
        self.read = 0

    def catch_up(self, log: list[tuple[int, Prediction]]) -> None:
        for seq, (recorded_ns, given) in enumerate(log[self.read :], self.read):
            entry = self.parts.latest.accept(given, seq)
            assert entry is not None
            self.now_ns = max(self.now_ns, recorded_ns)
            self.parts.predictions.publish(entry, 0, recorded_ns=recorded_ns, now_ns=self.now_ns, now_s=0.0)
        self.read = len(log)


class Client:
    """What the documentation asks of one: to look at `prev`, at `lost`, and to pass over what it has."""

    def __init__(self) -> None:
        self.last: dict[str, int] = {}
        self.got: dict[str, list[int]] = {ticker: [] for ticker in TICKERS}
        self.gaps: set[tuple[str, int]] = set()
        self.lost_before: set[tuple[str, int]] = set()
        self._lost: list[str] = []

    def take(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribed":
            self._lost = message["lost"]
        for one in message.get("predictions", [message] if message["type"] == "prediction" else []):
            ticker, seq, before = one["ticker"], one["seq"], self.last.get(one["ticker"])
            if before is not None and seq <= before:
                continue
            if message["type"] == "snapshot" and ticker in self._lost:
                self.lost_before.add((ticker, seq))
            elif before is not None and one["prev"] != before:
                self.gaps.add((ticker, seq))
            self.last[ticker] = seq
            self.got[ticker].append(seq)


class Wandering(RuleBasedStateMachine):
    """Records come, the client reads, falls behind, and moves from one gateway to the other."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[tuple[int, Prediction]] = []
        self.now_ns = NOON_NS
        self.gateways = (Gateway(), Gateway())
        self.client = Client()
        self.mailbox: Mailbox | None = None

    @rule(ticker=st.sampled_from(TICKERS), final=st.booleans(), seconds=st.sampled_from([0, 1, 25]))
    def publish(self, ticker: str, final: bool, seconds: int) -> None:
        self.now_ns += seconds * SECOND_NS
        self.log.append((self.now_ns, prediction(ticker, len(self.log), provisional=not final)))

    @rule(which=st.integers(0, 1))
    def read_the_log(self, which: int) -> None:
        self.gateways[which].catch_up(self.log)

    @rule(which=st.integers(0, 1), everything=st.booleans())
    def connect(self, which: int, everything: bool) -> None:
        parts = self.gateways[which].parts
        self.mailbox = Mailbox(3)
        subscriber = parts.hub.join(parts.predictions.audience, self.mailbox)
        conversation = Conversation(parts.predictions, parts.settings, subscriber, parts.clock_ns)
        question = {"action": "subscribe", "tickers": ["*"] if everything else list(TICKERS)}
        since = {"since": {"epoch": "", "seq": self.client.last}} if self.client.last else {}
        self.mailbox.reply(conversation.answer(json.dumps(question | since)))

    @precondition(lambda self: self.mailbox)
    @rule(count=st.integers(1, 4))
    def hear(self, count: int) -> None:
        for _ in range(count):
            assert self.mailbox is not None
            for message in self.mailbox.take(1, 0.0, lambda *_: Message("heartbeat", b"")):
                self.client.take(read_message(message.payload.decode()))
            self.mailbox.sent()

    @invariant()
    def what_was_missed_was_told_and_no_gap_was_made_up(self) -> None:
        for ticker, got in self.client.got.items():
            for before, after in pairwise(got):
                between = [seq for seq in range(before + 1, after) if self.log[seq][1].ticker == ticker]
                if (ticker, after) not in self.client.lost_before:
                    assert ((ticker, after) in self.client.gaps) == bool(between)

    def teardown(self) -> None:
        for which in (0, 1):
            self.read_the_log(which)
        self.connect(0, everything=True)
        self.hear(200)
        self.what_was_missed_was_told_and_no_gap_was_made_up()
        for ticker, got in self.client.got.items():
            newest = [seq for seq, (_, given) in enumerate(self.log) if given.ticker == ticker][-1:]
            assert got[-1:] == newest


TestWandering = Wandering.TestCase
