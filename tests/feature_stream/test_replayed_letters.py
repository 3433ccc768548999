"""What the rules of time say of ticks that are replayed from dead letters."""

from feature_stream.ticks import Reason
from schemas.dead_letters import REPLAY_SOURCE
from tests.feature_stream.runs import Run, rules

HOUR = 3_600.0


def test_a_replay_that_jumps_from_letter_to_letter_is_not_early() -> None:
    run = Run(rules("1h", early=60))
    run.send(("A", 1, 10, 1))
    run.send(("A", 2, 10, 1), source=REPLAY_SOURCE)
    run.send(("A", 50, 10, 1))
    run.send(("B", HOUR, 10, 1), source=REPLAY_SOURCE)
    assert not run.bad
    run.send(("A", HOUR, 10, 1))
    assert [reason for _, _, reason in run.bad] == [Reason.EARLY], "others still are"
