"""Which provider plays: never two, never a worse one for longer than it must be, and no flapping."""

from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ingestor.sources.live.line_up import HandOver, LineUp

_SECOND = 10**9
_RETURN_SECONDS = 60


@dataclass
class _World:
    """Providers that are up or down, and a line-up that is stepped every second."""

    count: int
    now_ns: int = 0
    up: set[int] = field(default_factory=set)
    connected: set[int] = field(default_factory=set)
    hand_overs: list[HandOver] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.line_up = LineUp(self.count, _RETURN_SECONDS, 0)
        self.up = set(range(self.count))

    def step(self) -> None:
        self.now_ns += _SECOND
        wanted = self.line_up.wanted(self.now_ns)
        for number in sorted(self.connected - wanted):
            self.line_up.left(number)
        self.connected &= wanted
        for number in sorted(self.connected - self.up):
            self.line_up.ended(number, "away", self.now_ns)
        self.connected &= self.up
        for number in sorted(self.line_up.wanted(self.now_ns) - self.connected):
            if number in self.up:
                self.connected.add(number)
                self.line_up.opened(number, self.now_ns)
            else:
                self.line_up.ended(number, "away", self.now_ns)
        for number in self.connected:
            self.line_up.heard(number, self.now_ns)
        due = self.line_up.due(self.now_ns)
        if due is not None and due != self.line_up.playing:
            hand_over = self.line_up.play(due, self.now_ns)
            self.hand_overs += [hand_over] if hand_over else []

    def pass_seconds(self, seconds: int) -> None:
        for _ in range(seconds):
            self.step()


@given(st.integers(1, 4), st.lists(st.tuples(st.sets(st.integers(0, 3)), st.integers(1, 90)), max_size=12))
def test_who_plays_is_connected_and_nobody_waits_while_one_is_up(
    count: int, weather: list[tuple[set[int], int]]
) -> None:
    world = _World(count)
    vacant = 0
    for up, seconds in weather:
        world.up = up & set(range(count))
        for _ in range(seconds):
            world.step()
            playing = world.line_up.playing
            assert playing is None or playing in world.connected
            assert playing is None or world.line_up.wanted(world.now_ns) == set(range(playing + 1)), "no worse one"
            vacant = vacant + 1 if playing is None and world.up else 0
            assert vacant <= 2 * count
    world.up = set(range(count))
    world.pass_seconds(3_700)
    assert world.line_up.playing == 0, "in the end the preferred one is back"


def test_one_that_was_steady_is_tried_once_more_before_another_takes_over() -> None:
    line_up = LineUp(3, _RETURN_SECONDS, 0)
    line_up.opened(0, 0)
    line_up.play(0, 0)
    assert line_up.wanted(0) == {0}
    line_up.ended(0, "away", 20 * _SECOND)
    assert line_up.wanted(20 * _SECOND) == {0}
    line_up.opened(0, 21 * _SECOND)
    assert line_up.play(0, 21 * _SECOND) is None
    line_up.ended(0, "away", 23 * _SECOND)
    assert line_up.wanted(23 * _SECOND) == {1}
    line_up.ended(1, "away", 24 * _SECOND)
    assert line_up.wanted(24 * _SECOND) == {1, 2}
    line_up.opened(2, 25 * _SECOND)
    assert line_up.due(25 * _SECOND) == 2
    assert line_up.play(2, 25 * _SECOND) == HandOver(0, 2, "away")
    assert line_up.wanted(25 * _SECOND) == {0, 1, 2}


def test_one_that_takes_too_long_is_not_waited_for_alone() -> None:
    line_up = LineUp(3, _RETURN_SECONDS, 0)
    assert [line_up.wanted(seconds * _SECOND) for seconds in (0, 1, 2, 4)] == [{0}, {0}, {0, 1}, {0, 1, 2}]


def test_streams_that_are_opened_anew_are_no_reason_for_another_to_take_over() -> None:
    line_up = LineUp(2, _RETURN_SECONDS, 0)
    line_up.opened(0, 0)
    line_up.play(0, 0)
    line_up.drop(100 * _SECOND)
    assert line_up.wanted(108 * _SECOND) == {0}
    line_up.ended(0, "away", 109 * _SECOND)
    assert line_up.wanted(109 * _SECOND) == {0, 1}


def test_one_that_is_mute_or_refused_is_not_tried_first() -> None:
    for reason in ("mute", "refused"):
        line_up = LineUp(2, _RETURN_SECONDS, 0)
        line_up.opened(0, 0)
        line_up.play(0, 0)
        line_up.ended(0, reason, 500 * _SECOND)
        assert line_up.wanted(500 * _SECOND) == {1}
        assert not line_up.all_refused
        line_up.ended(1, "refused", 501 * _SECOND)
        assert line_up.all_refused == (reason == "refused")


def test_a_better_one_that_is_connected_comes_back_only_once_it_was_heard_for_long_enough() -> None:
    line_up = LineUp(2, _RETURN_SECONDS, 0)
    line_up.opened(1, 0)
    line_up.play(1, 0)
    line_up.opened(0, 0)
    assert line_up.due(1_000 * _SECOND) == 1, "it was never heard"
    line_up.heard(0, 1_000 * _SECOND)
    assert line_up.due(1_059 * _SECOND) == 1
    assert line_up.due(1_060 * _SECOND) == 0
    line_up.ended(0, "away", 1_059 * _SECOND)
    line_up.opened(0, 1_060 * _SECOND)
    line_up.heard(0, 1_061 * _SECOND)
    assert line_up.due(1_120 * _SECOND) == 1, "it begins anew"


def test_one_that_fails_soon_after_each_return_comes_back_ever_more_rarely() -> None:
    world = _World(2)
    world.pass_seconds(30)
    returns: list[int] = []
    for _ in range(10 * 3_600):
        world.up = {1} if world.line_up.playing == 0 and world.now_ns >= 30 * _SECOND else {0, 1}
        before = len(world.hand_overs)
        world.step()
        if len(world.hand_overs) > before and world.hand_overs[-1].reason == "return":
            returns.append(world.now_ns // _SECOND)
    waits = [later - earlier for earlier, later in pairwise(returns)]
    assert len(returns) < 20
    assert waits == sorted(waits)
    assert 3_600 <= waits[-1] < 3_700
    world.up = {0, 1}
    world.pass_seconds(20 * 3_600)
    world.up = {1}
    world.pass_seconds(5)
    world.up = {0, 1}
    world.pass_seconds(_RETURN_SECONDS + 5)
    assert world.line_up.playing == 0, "after a long time without a fault nothing is held against it"
