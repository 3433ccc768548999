"""How far a training is, in the log."""

import logging

import pytest

from predictor.training.service.progress_log import ProgressLog
from schemas.log_events import LogEvent


def test_each_quarter_is_a_record_and_a_second_try_is_told_anew(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    log = ProgressLog("command-1")
    for step in (*range(11), 0, 5):
        log.note(step / 10, f"step {step}")
    said = [(record.progress, record.doing, record.command) for record in caplog.records]  # type: ignore[attr-defined]
    quarters = [(0.3, 3), (0.5, 5), (0.8, 8), (1.0, 10), (0.5, 5)]
    assert said == [(progress, f"step {step}", "command-1") for progress, step in quarters]
    assert {record.event for record in caplog.records} == {LogEvent.TRAINING}  # type: ignore[attr-defined]
