"""A mute consumer is noticed, an idle one is left alone."""

from feature_stream.progress import Progress


def test_nothing_taken_while_records_wait_is_stuck_after_the_patience() -> None:
    progress = Progress(30.0)
    assert not progress.stuck(5, 100, 0.0)
    assert not progress.stuck(5, 100, 30.0)
    assert progress.stuck(5, 100, 30.1)


def test_an_idle_stage_is_not_stuck() -> None:
    progress = Progress(30.0)
    assert not progress.stuck(0, 100, 0.0)
    assert not progress.stuck(0, 100, 1_000.0)
    assert not progress.stuck(3, 100, 1_001.0)


def test_a_stage_that_moves_is_not_stuck_however_far_behind() -> None:
    progress = Progress(30.0)
    assert not any(progress.stuck(10**6, taken, taken * 29.0) for taken in range(50))
