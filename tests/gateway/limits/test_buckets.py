"""Token buckets, held to one that counts tokens as fractions."""

from fractions import Fraction
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.limits.buckets import SECOND_NS, Limit, LocalBuckets

RATES = st.sampled_from([0.1, 0.3, 1.0, 3.0, 7.0, 50.0, 1e6]) | st.floats(0.001, 1e6)
LIMITS = st.builds(Limit, st.just("test"), RATES, st.integers(1, 20))


class Clock:
    """One that a test moves."""

    def __init__(self) -> None:
        self.now_ns = 10**18

    def __call__(self) -> int:
        return self.now_ns


class Tokens:
    """A bucket as a book would write it."""

    def __init__(self, limit: Limit, now_ns: int) -> None:
        self.limit, self.tokens, self.at_ns = limit, Fraction(limit.burst), now_ns

    def take(self, now_ns: int) -> tuple[int, int]:
        self.tokens += Fraction(now_ns - self.at_ns, self.limit.interval_ns)
        self.tokens, self.at_ns = min(self.tokens, Fraction(self.limit.burst)), now_ns
        taken = self.tokens >= 1
        self.tokens -= 1 if taken else 0
        left = self.tokens.__floor__()
        missing = (left + 1 - self.tokens) * self.limit.interval_ns
        assert missing.denominator == 1
        return left if taken else -1, int(missing)


@given(LIMITS, st.data())
def test_it_is_the_bucket_of_the_book(limit: Limit, data: Any) -> None:
    clock = Clock()
    buckets = LocalBuckets(limit, clock)
    book = {owner: Tokens(limit, clock.now_ns) for owner in "ab"}
    pauses = st.integers(0, 3) | st.integers(0, 2 * limit.interval_ns) | st.integers(0, limit.burst * limit.interval_ns)
    for owner, pause_ns in data.draw(st.lists(st.tuples(st.sampled_from("ab"), pauses), max_size=60)):
        clock.now_ns += pause_ns
        assert buckets.take(owner) == book[owner].take(clock.now_ns)


@given(LIMITS, st.lists(st.sampled_from([0.0, 1.0]) | st.floats(0, 1.2), min_size=1, max_size=80))
@example(Limit("test", 7.0, 1), [0.0, 1.0])  # an interval of no whole nanoseconds
def test_no_window_has_more_than_the_burst_and_what_came_back(limit: Limit, pauses: list[float]) -> None:
    clock = Clock()
    buckets = LocalBuckets(limit, clock)
    taken: list[int] = []
    for pause in pauses:
        clock.now_ns += int(pause * limit.interval_ns)
        if buckets.take("a")[0] >= 0:
            taken.append(clock.now_ns)
    for first, begin_ns in enumerate(taken):
        for last, end_ns in enumerate(taken[first:], first):
            came_back = Fraction(limit.per_second) * (end_ns - begin_ns) / SECOND_NS
            assert last - first + 1 <= limit.burst + came_back


@given(LIMITS, st.integers(0, 10**12))
def test_who_waits_as_long_as_he_is_told_gets_one_and_not_earlier(limit: Limit, skew_ns: int) -> None:
    clock = Clock()
    buckets = LocalBuckets(limit, clock)
    while (answer := buckets.take("a"))[0] >= 0:
        clock.now_ns += skew_ns % limit.interval_ns // 2
    clock.now_ns += answer[1] - 1
    assert buckets.take("a") == (-1, 1)
    clock.now_ns += 1
    assert buckets.take("a")[0] == 0


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, SECOND_NS)), max_size=200))
def test_memory_is_bounded_and_full_buckets_are_forgotten(asks: list[tuple[int, int]]) -> None:
    clock, limit = Clock(), Limit("test", 2.0, 3)
    bounded, unbounded = LocalBuckets(limit, clock, maximum_buckets=8), LocalBuckets(limit, clock)
    asked_ns: dict[str, int] = {}
    crowded = False
    for number, pause_ns in asks:
        clock.now_ns += pause_ns
        owner = str(number)
        asked_ns.pop(owner, None)
        active = sum(at_ns + 2 * SECOND_NS > clock.now_ns for at_ns in asked_ns.values())
        crowded |= active >= 8
        asked_ns[owner] = clock.now_ns
        answers = bounded.take(owner), unbounded.take(owner)
        assert crowded or answers[0] == answers[1]
        assert len(bounded) <= 8
    clock.now_ns += 10 * SECOND_NS
    for number in range(100, 131):
        bounded.take(str(number))
        clock.now_ns += SECOND_NS
    assert len(bounded) <= 3


def test_a_limit_says_in_what_time_it_is_full_again() -> None:
    assert Limit("test", 50.0, 100).window_seconds == 2
    assert Limit("test", 50.0, 101).window_seconds == 3
    assert Limit("test", 0.1, 1).window_seconds == 10
