"""Whatever the network and the gateway do: no gap that is not reported, and none reported that is not there."""

from itertools import pairwise
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.client import Gap, StartedAnew
from gateway.client.backoff import Backoff
from gateway.client.credentials import Credentials
from gateway.client.events import Event, updates_of
from gateway.client.reconnection import Reconnection
from gateway.client.session import Session
from gateway.client.wishes import Options
from schemas.sockets import ClientMessage, PredictionMessage, ServerMessage, Snapshot, StreamedPrediction, Subscribe
from tests.gateway_client.samples import streamed, subscribed, update, welcome

TICKERS = ["A", "B", "C"]
tickers = st.sampled_from(TICKERS)


class ModelGateway:
    """A log, and one connection to it; a record's place is shared by all tickers, as on one partition."""

    def __init__(self) -> None:
        self.incarnation = 0
        self.ends: dict[str, list[int]] = {ticker: [] for ticker in TICKERS}
        self.next_seq = 0
        self.unsent: list[ServerMessage] = []
        self.sends: set[str] = set()

    @property
    def epoch(self) -> str:
        return f"epoch {self.incarnation}"

    def publish(self, ticker: str) -> None:
        seqs = self.ends[ticker]
        if ticker in self.sends:
            self.unsent.append(update(ticker, self.next_seq, seqs[-1] if seqs else None))
        seqs.append(self.next_seq)
        self.next_seq += 1

    def answer(self, message: ClientMessage, *, held: int) -> None:
        """Acknowledge, then repeat what is after `since` where the last `held` records of the ticker reach so far."""
        assert isinstance(message, Subscribe)
        wanted = TICKERS if message.tickers == ["*"] else message.tickers
        since = message.since.seq if message.since and message.since.epoch == self.epoch else {}
        kept = {ticker: seq for ticker, seq in since.items() if seq in self.ends[ticker][-held:]}
        unknown = [] if message.tickers == ["*"] else [ticker for ticker in wanted if not self.ends[ticker]]
        ack = subscribed(*message.tickers, epoch=self.epoch, unknown=unknown, recovered=len(kept) == len(since))
        latest = [self._latest(ticker) for ticker in wanted if ticker not in kept and self.ends[ticker]]
        missed = [self.record(ticker, seq) for ticker in kept for seq in self.ends[ticker] if seq > kept[ticker]]
        chunks = [Snapshot([one], complete=False) for one in latest[:-1]]
        self.unsent += [ack, *chunks, Snapshot(latest[-1:]), *missed]
        self.sends = set(wanted)

    def _prev(self, ticker: str, seq: int) -> int | None:
        place = self.ends[ticker].index(seq)
        return self.ends[ticker][place - 1] if place else None

    def _latest(self, ticker: str) -> StreamedPrediction:
        seq = self.ends[ticker][-1]
        return streamed(ticker, seq, self._prev(ticker, seq))

    def record(self, ticker: str, seq: int) -> ServerMessage:
        return update(ticker, seq, self._prev(ticker, seq))


class Gaps(RuleBasedStateMachine):
    """A gateway that does all that it may, and a client whose reports are held against the log."""

    def __init__(self) -> None:
        super().__init__()
        self.gateway = ModelGateway()
        self.session = Session(Options(), Credentials(), Reconnection(Backoff(Random(1))))
        self.connected = False
        self.log = self.gateway.ends
        self.taken: dict[str, list[int]] = {ticker: [] for ticker in TICKERS}
        self.gaps: list[Gap] = []

    @initialize(wanted=st.sampled_from([["*"], ["A", "B"]]))
    def choose(self, wanted: list[str]) -> None:
        self.session.subscribe(wanted)

    @rule(ticker=tickers, times=st.integers(1, 4))
    def publish(self, ticker: str, times: int) -> None:
        for _ in range(times):
            self.gateway.publish(ticker)

    @precondition(lambda self: not self.connected)
    @rule(held=st.sampled_from([1, 3, 100]))
    def connect(self, held: int) -> None:
        step = self.session.hear(welcome(self.gateway.epoch))
        self._note(step.events)
        for message in step.messages:
            self.gateway.answer(message, held=held)
        self.log = self.gateway.ends
        self.connected = True

    @precondition(lambda self: self.connected)
    @rule(count=st.integers(1, 10))
    def deliver(self, count: int) -> None:
        for message in self.gateway.unsent[:count]:
            self._note(self.session.hear(message).events)
        del self.gateway.unsent[:count]

    @rule()
    def conflate(self) -> None:
        """Keep the newest update of each ticker, as for a client that is slow."""
        updates = [message for message in self.gateway.unsent if isinstance(message, PredictionMessage)]
        newest = {message.ticker: message for message in sorted(updates, key=lambda message: message.seq or 0)}
        self.gateway.unsent = [
            message
            for message in self.gateway.unsent
            if not isinstance(message, PredictionMessage) or message is newest[message.ticker]
        ]

    @rule(ticker=tickers)
    def repeat(self, ticker: str) -> None:
        """Send again what was sent, as a gateway may that lags behind the one before it."""
        for seq in self.gateway.ends[ticker][:2] if ticker in self.gateway.sends else []:
            self.gateway.unsent.append(self.gateway.record(ticker, seq))

    @precondition(lambda self: self.connected)
    @rule()
    def lose_the_connection(self) -> None:
        self.gateway.unsent.clear()
        self.gateway.sends.clear()
        self.session.lost()
        self.connected = False

    @precondition(lambda self: not self.connected)
    @rule()
    def make_the_topic_anew(self) -> None:
        incarnation = self.gateway.incarnation + 1
        self.gateway = ModelGateway()
        self.gateway.incarnation = incarnation

    def _note(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Gap):
                self.gaps.append(event)
            elif isinstance(event, StartedAnew):
                self.taken = {ticker: [] for ticker in TICKERS}
                self.gaps.clear()
            else:
                for one in updates_of([event]):
                    assert isinstance(one, StreamedPrediction)
                    assert one.seq is not None
                    self.taken[one.ticker].append(one.seq)

    @invariant()
    def every_update_came_once_in_order_or_is_in_a_gap_and_every_gap_is_one(self) -> None:
        for ticker, taken in self.taken.items():
            assert taken == sorted(set(taken))
            there = {(after, before) for after, before in pairwise(taken) if self._between(ticker, after, before)}
            assert {
                (gap.after, gap.before) for gap in self.gaps if gap.ticker == ticker and gap.after is not None
            } == there

    @invariant()
    def whoever_has_heard_all_has_the_newest(self) -> None:
        if not self.gateway.unsent:
            for ticker in self.gateway.sends:
                assert self.taken[ticker][-1:] == self.log[ticker][-1:]

    def _between(self, ticker: str, after: int, before: int) -> bool:
        return any(after < seq < before for seq in self.log[ticker])


TestGaps = Gaps.TestCase
TestGaps.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
