"""What the gateway says of itself."""

from gateway.reporting import Reporting
from tests.gateway.samples import NOON_NS, make_parts, prediction

MS = 1_000_000


def test_it_tells_its_lag_what_it_did_each_second_since_it_last_told_and_how_late_predictions_come() -> None:
    parts, now = make_parts(), [100.0]
    parts.instruments.count_answer("/predictions", 200, 0.01)
    reporting = Reporting(parts, lambda: now[0])
    for route in ("/predictions", "/health", "/health"):
        parts.instruments.count_answer(route, 200, 0.01)
    parts.instruments.records_taken.labels("bars").inc(20)
    parts.instruments.records_taken.labels("predictions-latest").inc(30)
    for topic in ("bars", "predictions-latest"):
        parts.instruments.lag_records.labels(topic).set(4)
    parts.stage_times.note(prediction("AAPL", 1, predicted_at_ns=NOON_NS - 8 * MS), NOON_NS)
    now[0] += 5.0
    reporting.tell()
    told = parts.board.event()
    assert told.rates == {"records": 10.0, "requests": 0.6}
    assert told.lag_records == 8
    assert told.latency_seconds == {"p50": 0.008, "p99": 0.008}
    now[0] += 5.0
    reporting.tell()
    assert parts.board.event().rates == {"records": 0.0, "requests": 0.0}


def test_before_the_first_prediction_it_tells_no_latency() -> None:
    parts, now = make_parts(), [100.0]
    reporting = Reporting(parts, lambda: now[0])
    now[0] += 5.0
    reporting.tell()
    assert parts.board.event().latency_seconds == {}
