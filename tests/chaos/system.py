"""The members of one replay and their broker, disturbed by a plan."""

import heapq
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import count

from schemas.topics import BARS, TICKS
from tests.brokers import BrokerUnderTest
from tests.chaos.killable_kafka import KillableKafka
from tests.chaos.members import Member
from tests.chaos.plan import BROKER, Disturbance, Kind
from tests.processes import ServiceProcess

#: A member that was disturbed is back within this, however slow the machine is.
BACK_SECONDS = 180.0
_LOOK_EVERY_SECONDS = 0.05

MakeMember = Callable[[str], Member]
DATA_HAS_ENDED = "the data has ended"


class DisturbedSystem:
    """Members by name; what a disturbance still has to do is done when it is due.

    Attributes:
        removed: Members that were removed.
        bars_while_disturbed: How many there were when all members were back.

    Args:
        make_member: Makes a worker that is added.
    """

    def __init__(
        self, kafka: KillableKafka, broker: BrokerUnderTest, members: Iterable[Member], make_member: MakeMember
    ) -> None:
        self.members = {member.name: member for member in members}
        self.removed: list[Member] = []
        self._kafka = kafka
        self._broker = broker
        self._make_member = make_member
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._disturbed: set[str] = set()
        self._seen: dict[str, int] = {}
        self.bars_while_disturbed = 0

    def disturb(self, disturbances: Iterable[Disturbance], say: Callable[[str], None]) -> None:
        """Carry a plan out, while ticks come."""
        for number, disturbance in enumerate(disturbances, 1):
            if disturbance.pause_seconds:
                self.live(disturbance.pause_seconds)
                self._wait_for_work()
            self.wait_until(partial(self._may_begin, disturbance), what=f"{disturbance.member} being there")
            assert DATA_HAS_ENDED not in self.members["ingestor"].lives[-1].output(), "the replay ended too early"
            say(f"{number}: {disturbance}")
            self._begin(disturbance)
        self.wait_until(lambda: not self._disturbed, what="all members being back")
        self.bars_while_disturbed = sum(self._broker.ends(BARS).values())

    def live(self, seconds: float) -> None:
        """Let some time pass."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._look()

    def wait_until(self, holds: Callable[[], bool], *, what: str, seconds: float = BACK_SECONDS) -> None:
        """Keep all members running until a condition holds.

        Raises:
            TimeoutError: It did not in time.
        """
        deadline = time.monotonic() + seconds
        while not holds():
            self._look()
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} did not happen within {seconds:g} s")

    def everyone(self) -> list[Member]:
        """Give all members that there ever were."""
        return [*self.members.values(), *self.removed]

    def lives(self) -> list[ServiceProcess]:
        """Give every process of every member."""
        return [life for member in self.everyone() for life in member.lives]

    def _look(self) -> None:
        while self._due and self._due[0][0] <= time.monotonic():
            heapq.heappop(self._due)[2]()
        for member in self.members.values():
            member.look(broker_is_up=self._kafka.is_up)
        time.sleep(_LOOK_EVERY_SECONDS)

    def _wait_for_work(self) -> None:
        """Wait until the ingestor and the stage have gone on since the disturbance before."""

        def gone_on() -> bool:
            if not self._kafka.is_up:
                return False
            now = {topic.name: sum(self._broker.ends(topic).values()) for topic in (TICKS, BARS)}
            on = all(count > self._seen.get(name, 0) for name, count in now.items())
            self._seen = now if on else self._seen
            return on

        self.wait_until(gone_on, what="more ticks and bars")

    def _may_begin(self, disturbance: Disturbance) -> bool:
        if disturbance.kind is Kind.ADD or disturbance.member == BROKER:
            return self._kafka.is_up
        return disturbance.member not in self._disturbed and self.members[disturbance.member].is_up

    def _begin(self, disturbance: Disturbance) -> None:
        name = disturbance.member
        if disturbance.member == BROKER:
            self._kafka.kill()
            self._later(disturbance, self._kafka.start_again)
            return
        if disturbance.kind is Kind.ADD:
            self.members[name] = self._make_member(name)
            self.members[name].start()
            return
        member = self.members[name]
        match disturbance.kind:
            case Kind.KILL:
                member.kill()
                self._later(disturbance, member.start)
            case Kind.RESTART:
                member.end_politely()
                self._later(disturbance, member.start)
            case Kind.FREEZE:
                member.freeze()
                self._later(disturbance, member.thaw)
            case Kind.REMOVE:
                member.end_politely()
                self.removed.append(self.members.pop(name))

    def _later(self, disturbance: Disturbance, finish: Callable[[], None]) -> None:
        self._disturbed.add(disturbance.member)

        def end() -> None:
            if disturbance.member != BROKER and not self._kafka.is_up:  # nothing is started without a broker
                self._schedule(_LOOK_EVERY_SECONDS, end)
                return
            finish()
            self._disturbed.discard(disturbance.member)

        self._schedule(disturbance.lasts_seconds, end)

    def _schedule(self, seconds: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), action))
