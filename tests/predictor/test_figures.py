"""What a predictor's metrics say."""

import time

from msgspec import structs
from prometheus_client import CollectorRegistry

from predictor import degraded
from predictor.figures import Figures
from schemas.status import StatusBoard
from tests.gateway.samples import prediction

NS = 1_000_000_000
HISTOGRAM = "tickcast_feature_to_prediction_seconds"


def test_predictions_are_timed_from_their_feature_event_to_the_broker_having_them() -> None:
    registry = CollectorRegistry()
    figures = Figures(StatusBoard("predictor", "test"), registry)
    now_ns = time.time_ns()
    made = [structs.replace(prediction(), featured_at_ns=now_ns - age_ns) for age_ns in (0, 20 * NS, 30 * NS)]
    figures.count_acknowledged(made, 0.1)
    assert registry.get_sample_value(f"{HISTOGRAM}_count") == 3
    assert registry.get_sample_value(f"{HISTOGRAM}_bucket", {"le": "5.0"}) == 1
    assert registry.get_sample_value(f"{HISTOGRAM}_bucket", {"le": "+Inf"}) == 3


def test_every_reason_of_one_text_is_shown_before_it_happens() -> None:
    registry = CollectorRegistry()
    Figures(StatusBoard("predictor", "test"), registry)
    texts = {value for name, value in vars(degraded).items() if name.isupper() and isinstance(value, str)}
    assert texts
    for reason in texts:
        assert registry.get_sample_value("tickcast_predictions_degraded_total", {"reason": reason}) == 0
