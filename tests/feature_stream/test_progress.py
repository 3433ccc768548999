"""Silence counts only while records wait and none is taken."""

from feature_stream.progress import Progress


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
