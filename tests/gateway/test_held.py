"""What is held is bounded, and whole from its front on."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.entries import Entry
from gateway.held import Held
from gateway.latest import LatestView
from tests.gateway.samples import NOON_NS, prediction

SECOND_NS = 1_000_000_000


def entry(ticker: str, seq: int) -> Entry:
    made = LatestView().accept(prediction(ticker, seq), seq)
    assert made is not None
    return made


RECORDS = st.lists(st.tuples(st.sampled_from(["AAPL", "IBM"]), st.integers(-5, 30)), max_size=30)


@given(RECORDS, st.integers(1, 8))
def test_what_follows_a_record_that_is_held_is_all_held(records: list[tuple[str, int]], room: int) -> None:
    """Also where the records' times go back, as those of several producers do."""
    size = entry("AAPL", 0).size_bytes
    held = Held(room * size + size // 2)
    now_ns = at_ns = NOON_NS
    log: list[tuple[str, int]] = []
    for seq, (ticker, seconds) in enumerate(records):
        at_ns += seconds * SECOND_NS
        now_ns = max(now_ns, at_ns)
        held.add(entry(ticker, seq), at_ns, now_ns)
        log.append((ticker, seq))
        assert len(held) <= room
    for ticker, seq in log:
        after = held.after(ticker, seq, now_ns)
        if after is not None:
            assert [one.seq for one in after] == [other for of, other in log if of == ticker and other > seq]


def test_what_is_a_minute_old_goes() -> None:
    held = Held(1_000_000)
    held.add(entry("AAPL", 1), NOON_NS, NOON_NS)
    assert held.after("AAPL", 1, NOON_NS + 60 * SECOND_NS) == []
    assert held.after("AAPL", 1, NOON_NS + 60 * SECOND_NS + 1) is None
    assert len(held) == 0
