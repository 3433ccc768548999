"""Whether the stage does its work, and if not, since when and why: for `/health`, and for the watchdog."""

from dataclasses import dataclass
from enum import Enum

from feature_stream.progress import Silence
from schemas.errors import RetryError
from schemas.topics import TICKS


class MuteError(RetryError):
    """The stage stands still and nothing has helped: only a new process may."""


class Phase(Enum):
    """What a worker is about; its value says what is missing while it lasts.

    A standby, of more workers than partitions, is WORKING: it has its place in the group, and the assignment says
    that there is nothing to do. JOINING has no assignment at all.
    """

    JOINING = "no place in the consumer group"
    RECOVERING = "partitions are assigned, but nothing more of their state is read"
    WORKING = ""


@dataclass(frozen=True)
class Bounds:
    """After how long standing still is no longer well, and when it ends the process, in seconds."""

    mute_unhealthy: float
    mute_end: float
    join_unhealthy: float
    join_end: float
    session_timeout: float


@dataclass(frozen=True)
class Signs:
    """What can be seen at one moment.

    Attributes:
        silence: The longest one of a partition.
        heartbeat_seconds: Age of the last group heartbeat.
        answer_seconds: Age of the last answer on where the source ends.
        recovered: Grows with what a recovery has read.
        asked: The source, in words.
    """

    silence: Silence | None = None
    heartbeat_seconds: float = 0.0
    answer_seconds: float = 0.0
    recovered: int = 0
    asked: str = TICKS.name


@dataclass(frozen=True)
class Trouble:
    """Why `/health` is false; `fatal` is what ends the process."""

    reason: str
    fatal: bool


class Vitals:
    """The phases of one worker, and how long each may stand still. All clocks are monotonic, in seconds."""

    def __init__(self, bounds: Bounds, now: float) -> None:
        self._bounds = bounds
        self.phase = Phase.JOINING
        self._moved_at = now
        self._recovered = 0

    def enter(self, phase: Phase, now: float) -> None:
        """Note that a phase begins."""
        self.phase, self._moved_at = phase, now

    def trouble(self, signs: Signs, now: float) -> Trouble | None:
        """Say what is wrong, if anything is."""
        if signs.recovered != self._recovered:
            self._recovered, self._moved_at = signs.recovered, now
        return self._standing_still(now) or self._muteness(signs) or self._cut_off(signs)

    def _standing_still(self, now: float) -> Trouble | None:
        """Judge a phase that should come to its end."""
        seconds, bounds = now - self._moved_at, self._bounds
        if self.phase is Phase.WORKING:
            return None
        unhealthy, end = bounds.join_unhealthy, bounds.join_end
        if self.phase is Phase.RECOVERING:  # only the broker is waited for, and not the other workers
            unhealthy, end = bounds.mute_unhealthy, bounds.mute_end
        if seconds <= min(unhealthy, end):
            return None
        return Trouble(f"{self.phase.value}, for {seconds:.0f} s", seconds > end)

    def _muteness(self, signs: Signs) -> Trouble | None:
        silence, bounds = signs.silence, self._bounds
        if silence is None or silence.seconds <= min(bounds.mute_unhealthy, bounds.mute_end):
            return None
        place = f"{silence.topic}-{silence.partition}"
        reason = f"{silence.lag_records} records of {place} wait, and none was absorbed for {silence.seconds:.0f} s"
        return Trouble(reason, silence.seconds > bounds.mute_end)

    def _cut_off(self, signs: Signs) -> Trouble | None:
        """Judge a worker that has its place, but may have lost it, or its broker, without a word."""
        bounds = self._bounds
        if self.phase is Phase.JOINING:
            return None
        for what, seconds in (
            ("no heartbeat reached the group", signs.heartbeat_seconds),
            (f"the broker has not said where {signs.asked} ends", signs.answer_seconds),
        ):
            if seconds > bounds.session_timeout:
                return Trouble(f"{what}, for {seconds:.0f} s", seconds > max(bounds.join_end, bounds.session_timeout))
        return None
