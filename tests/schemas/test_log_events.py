"""Log records that can be found by name."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from schemas.log_events import LogEvent, about
from schemas.log_summary import LogSummary
from schemas.logs import JsonFormatter
from schemas.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("event", LogEvent)
def test_every_event_is_explained_and_said_somewhere(event: LogEvent) -> None:
    assert f"| `{event}` |" in (ROOT / "docs" / "operations.md").read_text()
    rooms = ("deploy", "feature_stream", "gateway", "ingestor", "predictor", "schemas")
    sources = (file.read_text() for room in rooms for file in (ROOT / room).rglob("*.py"))
    assert any(f"LogEvent.{event.name}" in source for source in sources)


def test_a_records_name_and_fields_stand_beside_its_message(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    logging.getLogger("test").info("%s is back", "ada", extra=about(LogEvent.LOGGED_IN, user="ada", address=None))
    said = json.loads(JsonFormatter("gateway").format(caplog.records[-1]))
    assert {"event": "logged_in", "user": "ada", "address": None, "message": "ada is back"}.items() <= said.items()


def test_a_summary_says_what_was_added_since_the_last_one_and_nothing_where_that_is_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    settings = Settings(_env_file=None, log_format="json", log_summary_seconds=10)
    summary = LogSummary(logging.getLogger("test"), LogEvent.SERVED, settings)
    assert [summary.is_due(now_s) for now_s in (100.0, 109.0, 110.0)] == [False, False, True]
    for now_s, answers in ((110.0, 5), (120.0, 7), (130.0, 7), (145.0, 8)):
        summary.say({"answers": answers, "refused": 0}, now_s)
    said = [(record.seconds, record.answers) for record in caplog.records]  # type: ignore[attr-defined]
    assert said == [(10.0, 5), (10.0, 2), (15.0, 1)]


@pytest.mark.parametrize("given", [{"log_format": "text"}, {"log_format": "json", "log_summary_seconds": 0}])
def test_people_and_whoever_does_not_want_them_get_no_summaries(given: dict[str, Any]) -> None:
    summary = LogSummary(logging.getLogger("test"), LogEvent.SERVED, Settings(_env_file=None, **given))
    assert [summary.is_due(now_s) for now_s in (0.0, 1e6)] == [False, False]
