"""What is well, what is not, and what ends the process."""

import pytest

from feature_stream.progress import Silence
from feature_stream.settings import FeatureStreamSettings
from feature_stream.vitals import Bounds, Phase, Signs, Trouble, Vitals
from schemas.errors import StopAndSayError
from schemas.settings import load_settings

BOUNDS = Bounds(mute_unhealthy=5, mute_end=30, join_unhealthy=60, join_end=300, session_timeout=10)


def _in(phase: Phase) -> Vitals:
    vitals = Vitals(BOUNDS, 0.0)
    vitals.enter(phase, 0.0)
    return vitals


def _fatal(trouble: Trouble | None) -> bool | None:
    """Tell what a trouble does; None: there is none."""
    return None if trouble is None else trouble.fatal


@pytest.mark.parametrize(("seconds", "fatal"), [(0, None), (5, None), (6, False), (30, False), (31, True)])
def test_records_that_wait_make_it_mute(seconds: float, fatal: bool | None) -> None:
    trouble = _in(Phase.WORKING).trouble(Signs(Silence(2, 17, seconds)), 0.0)
    assert _fatal(trouble) is fatal
    if trouble is not None:
        assert trouble.reason == f"17 records of ticks-2 wait, and none was absorbed for {seconds} s"


def test_a_record_that_is_absorbed_makes_it_well_again() -> None:
    vitals = _in(Phase.WORKING)
    assert vitals.trouble(Signs(Silence(0, 9, 20.0)), 20.0)
    assert vitals.trouble(Signs(Silence(0, 9, 0.0)), 21.0) is None


def test_a_standby_without_partitions_is_well_for_ever() -> None:
    assert _in(Phase.WORKING).trouble(Signs(None), 10.0**6) is None


@pytest.mark.parametrize(
    ("phase", "seconds", "fatal"),
    [
        *[(Phase.JOINING, seconds, fatal) for seconds, fatal in [(60, None), (61, False), (300, False), (301, True)]],
        *[(Phase.RECOVERING, seconds, fatal) for seconds, fatal in [(5, None), (6, False), (30, False), (31, True)]],
    ],
)
def test_a_phase_that_does_not_end_is_no_work(phase: Phase, seconds: float, fatal: bool | None) -> None:
    trouble = _in(phase).trouble(Signs(), seconds)
    assert _fatal(trouble) is fatal
    if trouble is not None:
        assert trouble.reason == f"{phase.value}, for {seconds} s"


def test_a_recovery_may_last_as_long_as_it_reads_something() -> None:
    vitals = _in(Phase.RECOVERING)
    assert not any(vitals.trouble(Signs(recovered=at), at * 4.0) for at in range(50))
    assert vitals.trouble(Signs(recovered=49), 49 * 4.0 + 6)


@pytest.mark.parametrize("phase", [Phase.WORKING, Phase.RECOVERING])
@pytest.mark.parametrize("what", ["heartbeat_seconds", "answer_seconds"])
@pytest.mark.parametrize(("seconds", "fatal"), [(10, None), (11, False), (301, True)])
def test_without_heartbeats_or_answers_it_is_cut_off(
    phase: Phase, what: str, seconds: float, fatal: bool | None
) -> None:
    assert _fatal(_in(phase).trouble(Signs(**{what: seconds}), 0.0)) is fatal  # type: ignore[arg-type]


def test_while_it_joins_no_heartbeat_is_due() -> None:
    assert _in(Phase.JOINING).trouble(Signs(heartbeat_seconds=float("inf")), 1.0) is None


@pytest.mark.parametrize("what", ["mute", "join"])
def test_an_end_before_the_word_of_it_is_refused(what: str) -> None:
    values = {f"{what}_end_seconds": 2.0, f"{what}_unhealthy_seconds": 3.0}
    with pytest.raises(StopAndSayError, match=f"TICKCAST_{what.upper()}_END_SECONDS"):
        load_settings(FeatureStreamSettings, **values)
