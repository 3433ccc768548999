"""Updates: what one record says, in bytes that were made once."""

from dataclasses import dataclass, field

import msgspec
from msgspec import structs

from gateway.bars import present_bar, present_forming
from gateway.followed import Followed
from gateway.messages import Message, pack
from gateway.presentation import present
from schemas.events import Bar, Prediction
from schemas.public import PublicPrediction

#: What rises strictly in log order for one ticker: source offset, bar index, provisional.
Order = tuple[int, int, bool]


@dataclass(eq=False, slots=True)
class Entry:
    """One update, ready to be sent.

    Attributes:
        kind: The type of its message.
        final: Of a closed bar; a provisional one never takes its place in a queue.
        confidence: Of the shortest horizon; 1 for bars.
        seq: Offset of its record; None where it has no place in a log.
        body: JSON without its place in the log: that of `/predict/{ticker}`.
        place: `seq` and what it follows, as the first fields of a JSON object.
        partition: Of its record.
        mark: Where its stream stands after it; empty before it is published.
        ingested_at_ns: Of a prediction: when the newest tick that it tells of was taken in.
        followed: Of a prediction whose trace is followed.
    """

    kind: str
    ticker: str
    order: Order
    final: bool
    confidence: float
    seq: int | None
    body: bytes
    place: bytes = b""
    partition: int = 0
    mark: str = ""
    ingested_at_ns: int = 0
    followed: Followed | None = None
    _plain: Message | None = field(default=None, init=False, repr=False)
    _packed: Message | None = field(default=None, init=False, repr=False)
    _form: PublicPrediction | None = field(default=None, init=False, repr=False)
    _by_horizon: dict[int, bytes] = field(default_factory=dict, init=False, repr=False)

    @property
    def item(self) -> bytes:
        """Give the JSON of a member of a snapshot."""
        return b"{" + self.place + self.body[1:]

    @property
    def form(self) -> PublicPrediction:
        """Give what the body of a prediction says, read when it is first asked for."""
        if self._form is None:
            self._form = msgspec.json.decode(self.body, type=PublicPrediction)
        return self._form

    def body_of(self, horizon: int) -> bytes | None:
        """Give the body with a horizon as its `prediction`, made when it is first asked for; None: not on offer."""
        if horizon not in self._by_horizon:
            found = next((one for one in self.form.horizons if one.horizon == horizon), None)
            if found is None:
                return None
            self._by_horizon[horizon] = msgspec.json.encode(structs.replace(self.form, prediction=found))
        return self._by_horizon[horizon]

    def drop_made(self) -> None:
        """Forget what was made for requests: a newer entry answers them now, and this one may be held for a minute."""
        self._form = None
        self._by_horizon.clear()

    @property
    def size_bytes(self) -> int:
        """Give about what it takes to hold it: the body, and the message made of it."""
        return 2 * len(self.body)

    def message(self, *, packed: bool = False) -> Message:
        """Give its message, made when the first client wants it."""
        if packed:
            if self._packed is None:
                self._packed = Message(self.kind, pack(self.message().payload), packed=True, followed=self.followed)
            return self._packed
        if self._plain is None:
            payload = b'{"type":"%b",%b%b' % (self.kind.encode(), self.place, self.body[1:])
            self._plain = Message(self.kind, payload, mark=self.mark, followed=self.followed)
        return self._plain


def order_of(event: Prediction | Bar) -> Order:
    """Give an event's place among those of its ticker."""
    return event.source_offset, event.bar_index, isinstance(event, Prediction) and event.provisional


def _place(**offsets: int | None) -> bytes:
    return b"".join(
        b'"%b":%b,' % (name.encode(), b"null" if offset is None else b"%d" % offset) for name, offset in offsets.items()
    )


def prediction_entry(prediction: Prediction, seq: int, prev: int | None, prev_final: int | None) -> Entry:
    """Make the bytes of a prediction.

    Raises:
        UndecodableError: A value cannot be said at the edge.
    """
    body = present(prediction)
    final = not prediction.provisional
    place = _place(seq=seq, prev=prev, prev_final=prev_final) if final else _place(seq=seq, prev=prev)
    confidence = min(prediction.horizons, key=lambda horizon: horizon.horizon).confidence
    return Entry(
        "prediction",
        prediction.ticker,
        order_of(prediction),
        final,
        confidence,
        seq,
        body,
        place,
        ingested_at_ns=prediction.ingested_at_ns,
    )


def bar_entry(bar: Bar, seq: int, prev: int | None) -> Entry:
    """Make the bytes of a closed bar.

    Raises:
        UndecodableError: A value cannot be said at the edge.
    """
    return Entry("bar", bar.ticker, order_of(bar), True, 1.0, seq, present_bar(bar), _place(seq=seq, prev=prev))


def forming_entry(prediction: Prediction) -> Entry:
    """Make the bytes of the bar so far that a prediction speaks of.

    Raises:
        UndecodableError: A value cannot be said at the edge.
    """
    body = present_forming(prediction)
    return Entry("forming_bar", prediction.ticker, order_of(prediction), False, 1.0, None, body)
