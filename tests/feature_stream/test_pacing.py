"""Provisional features: leading edge at once, then trailing, at most one an interval, the last never forgotten."""

from hypothesis import given
from hypothesis import strategies as st

from feature_stream.pacing import Pacer


def test_the_first_change_speaks_at_once_and_the_second_waits_for_its_turn() -> None:
    pacer = Pacer(0.25)
    assert pacer.touch(["AAPL"], 10.0) == ["AAPL"]
    assert pacer.touch(["AAPL"], 10.1) == pacer.touch(["AAPL"], 10.2) == []
    assert pacer.due(10.2) == []
    assert pacer.due(10.25) == ["AAPL"]
    assert pacer.due(11.0) == []


def test_tickers_do_not_wait_for_each_other() -> None:
    pacer = Pacer(0.25)
    assert pacer.touch(["AAPL"], 0.0) == ["AAPL"]
    assert pacer.touch(["AAPL", "MSFT"], 0.1) == ["MSFT"]


@given(st.lists(st.tuples(st.sampled_from("AB"), st.floats(0.0, 0.2)), max_size=60))
def test_every_change_is_followed_by_a_word_and_words_keep_their_distance(changes: list[tuple[str, float]]) -> None:
    pacer, now = Pacer(0.25), 0.0
    words: dict[str, list[float]] = {"A": [], "B": []}
    changed_at: dict[str, float] = {}
    for ticker, wait in changes:
        now += wait
        for due in pacer.due(now):
            words[due].append(now)
        changed_at[ticker] = now
        for spoken in pacer.touch([ticker], now):
            words[spoken].append(now)
    for due in pacer.due(now + 0.25):
        words[due].append(now + 0.25)
    for ticker, at in changed_at.items():
        assert words[ticker][-1] >= at
        assert all(later - earlier >= 0.2499 for earlier, later in zip(words[ticker], words[ticker][1:], strict=False))
