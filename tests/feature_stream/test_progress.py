"""Silence counts only while records wait and none is taken; lag in seconds is the age of what waits."""

from feature_stream.progress import Flow, LagClock, Progress


def test_silence_counts_from_the_last_record_taken() -> None:
    progress = Progress(0.0)
    assert progress.idle_seconds(5, 100, 0.0) == 0.0
    assert progress.idle_seconds(5, 100, 7.5) == 7.5
    assert progress.idle_seconds(4, 101, 8.0) == 0.0


def test_a_partition_without_anything_to_read_is_not_silent() -> None:
    progress = Progress(0.0)
    assert progress.idle_seconds(0, 100, 1_000.0) == 0.0
    assert progress.idle_seconds(3, 100, 1_001.0) == 1.0


def test_one_that_moves_is_not_silent_however_far_behind() -> None:
    progress = Progress(0.0)
    assert not any(progress.idle_seconds(10**6, taken, taken * 29.0) for taken in range(50))


def test_one_that_stands_behind_others_is_not_silent() -> None:
    progress = Progress(0.0)
    full = Flow(read_bytes=1_000, runs_dry=False)
    progress.idle_seconds(5, 100, 0.0, full)
    assert progress.idle_seconds(5, 100, 30.0, full) == 0.0
    assert progress.idle_seconds(5, 100, 37.0, Flow(read_bytes=1_000, runs_dry=True)) == 7.0


def test_it_is_when_more_of_others_came_than_can_stand_before_it() -> None:
    progress = Progress(0.0)
    progress.idle_seconds(5, 100, 0.0, Flow(1_000, runs_dry=False))
    assert progress.idle_seconds(5, 100, 30.0, Flow(60_000_000, runs_dry=False)) == 0.0
    assert progress.idle_seconds(5, 100, 37.0, Flow(150_000_000, runs_dry=False)) == 7.0


def test_where_none_waits_there_is_no_lag_however_long_nothing_came() -> None:
    assert LagClock(0.0).lag_seconds(0, 5.0, 3_600.0) == 0.0


def test_what_waits_is_younger_than_the_last_record_taken() -> None:
    assert LagClock(1_000.0).lag_seconds(7, 400.0, 1_000.5) == 600.5


def test_after_a_quiet_hour_a_record_is_not_an_hour_old() -> None:
    clock = LagClock(0.0)
    assert clock.lag_seconds(0, 10.0, 3_600.0) == 0.0
    assert clock.lag_seconds(1, 10.0, 3_601.0) == 1.0


def test_before_the_first_record_its_age_counts_from_when_we_began_to_look() -> None:
    assert LagClock(100.0).lag_seconds(7, None, 103.0) == 3.0


def test_clocks_that_disagree_give_no_lag_below_zero() -> None:
    assert LagClock(0.0).lag_seconds(1, 20.0, 10.0) == 0.0
