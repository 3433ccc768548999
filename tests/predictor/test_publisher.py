"""What the predictor does when the broker takes nothing."""

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource

from predictor.forecasting import refused
from predictor.predict import predict
from predictor.publisher import DeliveryError, Publisher
from predictor.settings import PredictorSettings
from schemas.dead_letters import DeadLetter
from tests.brokers import BrokerUnderTest
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


def test_nobody_waits_for_a_record_that_was_refused_at_once() -> None:
    publisher = Publisher(PredictorSettings(kafka_bootstrap_servers=f"127.0.0.1:{free_port()}", _env_file=None))
    with pytest.raises(KafkaException, match="MSG_SIZE_TOO_LARGE"):
        publisher.send_forecast(refused("r-1", "x" * 2_000_000, 1), None)
    publisher.wait()


def test_a_letter_that_cannot_be_sent_is_said_and_passed(caplog: pytest.LogCaptureFixture) -> None:
    publisher = Publisher(PredictorSettings(kafka_bootstrap_servers=f"127.0.0.1:{free_port()}", _env_file=None))
    publisher.send_dead_letter(DeadLetter(value=b"x", reason="bad", origin="o", position="p" * 2_000_000))
    publisher.wait()
    assert lost(caplog)


def test_a_letter_that_the_broker_finds_too_large_is_said_and_passed(
    kafka: BrokerUnderTest, caplog: pytest.LogCaptureFixture
) -> None:
    limit(kafka, "dead-letters", largest_bytes=2_000)
    publisher = Publisher(kafka.settings(PredictorSettings))
    publisher.send_dead_letter(DeadLetter(value=b"x" * 10_000, reason="bad", origin="o"))
    publisher.send_forecast(refused("r-1", "bad", 1), None)
    publisher.wait()
    assert lost(caplog)
    assert len(kafka.read("forecasts", until=1)) == 1


def test_an_answer_that_the_broker_finds_too_large_is_not_passed(kafka: BrokerUnderTest) -> None:
    limit(kafka, "forecasts", largest_bytes=2_000)
    publisher = Publisher(kafka.settings(PredictorSettings))
    publisher.send_forecast(refused("r-1", "x" * 10_000, 1), None)
    with pytest.raises(DeliveryError, match="did not take a record"):
        publisher.wait()


def lost(caplog: pytest.LogCaptureFixture) -> bool:
    said = [record.getMessage() for record in caplog.records if record.name == "predictor.publisher"]
    return len(said) == 1 and said[0].startswith("a dead letter is lost")


def limit(kafka: BrokerUnderTest, topic: str, largest_bytes: int) -> None:
    """Let a topic take no larger records."""
    entry = ConfigEntry("max.message.bytes", str(largest_bytes), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, kafka.full_name(topic), incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers, "log_level": 0})
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(60)
