import json
import logging
from collections.abc import Iterator

import pytest

from schemas.logs import client_logger, configure_logs
from schemas.times import from_rfc3339

LOG = logging.getLogger("tickcast.test")


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, disabled = root.handlers[:], root.level, logging.root.manager.disable
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.disable(disabled)


def test_a_json_record_is_one_line_with_what_extra_names(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("ingestor", "info", "json")
    LOG.warning("line one\nline two: %s", "€", extra={"ticker": "AAPL", "offset": 41, "path": object})
    (line,) = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert from_rfc3339(entry.pop("time")) > 0
    assert entry.pop("path").startswith("<class")
    assert entry == {
        "level": "warning",
        "service": "ingestor",
        "logger": "tickcast.test",
        "message": "line one\nline two: €",
        "ticker": "AAPL",
        "offset": 41,
    }


def test_an_exception_stays_in_its_json_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("ingestor", "info", "json")
    try:
        raise KeyError("price")
    except KeyError:
        LOG.exception("failed")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["exception"].endswith("KeyError: 'price'")


def test_text_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("ingestor", "info", "text")
    LOG.info("playing %d tickers", 5)
    LOG.error("no price")
    first, second = capsys.readouterr().err.splitlines()
    assert first[2:3] == first[5:6] == ":"
    assert first[8:] == " playing 5 tickers"
    assert second[8:] == " error: no price"


def test_text_shows_an_exception_below(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("ingestor", "info", "text")
    try:
        raise KeyError("price")
    except KeyError:
        LOG.exception("failed")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].endswith(" error: failed")
    assert lines[-1] == "KeyError: 'price'"


def test_what_is_below_the_level_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("ingestor", "warning", "text")
    LOG.info("unheard")
    assert capsys.readouterr().err == ""


def test_debug_is_heard_only_where_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("ingestor", "debug", "text")
    LOG.debug("detail")
    assert " detail" in capsys.readouterr().err
    configure_logs("ingestor", "info", "text")
    assert not LOG.isEnabledFor(logging.DEBUG)
    configure_logs("ingestor", "debug", "text")
    assert LOG.isEnabledFor(logging.DEBUG)


def test_a_second_call_replaces_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("ingestor", "info", "text")
    configure_logs("ingestor", "info", "json")
    LOG.info("once")
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_what_librdkafka_repeats_is_said_once_in_a_while() -> None:
    logger = client_logger()
    said = [
        logger.filter(logging.makeLogRecord({"msg": text, "created": float(created)}))
        for created, text in [
            (100, "refused (after 0ms in state CONNECT)"),
            (101, "refused (after 1ms in state CONNECT)"),
            (102, "something else"),
            (103, "enable.gapless.guarantee is experimental"),
            (131, "refused (after 0ms in state CONNECT)"),
            (132, "Failed to acquire idempotence PID from broker: Coordinator load in progress: retrying"),
        ]
    ]
    assert [bool(word) for word in said] == [True, False, True, False, True, False]
