"""What the predictor does when the broker takes nothing."""

import pytest

from predictor.predict import predict
from predictor.publisher import DeliveryError, Publisher
from predictor.settings import PredictorSettings
from tests.predictor.feature_events import final
from tests.predictor.forecasters import HORIZONS
from tests.processes import free_port


def test_an_unacknowledged_prediction_is_an_error() -> None:
    nobody = f"127.0.0.1:{free_port()}"
    settings = PredictorSettings(kafka_bootstrap_servers=nobody, _env_file=None)
    publisher = Publisher(settings, deliver_within_seconds=0.5)
    (prediction,) = predict([final()], None, HORIZONS, now_ns=0).predictions
    publisher.wait()
    publisher.send(prediction, None)
    with pytest.raises(DeliveryError, match="did not take a record"):
        publisher.wait()
