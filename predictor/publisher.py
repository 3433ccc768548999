"""Send predictions and dead letters, and wait until the broker has them."""

import logging

from confluent_kafka import KafkaError, KafkaException, Message

from predictor.sending import make_producer
from predictor.settings import PredictorSettings
from schemas.codec import Headers, encode, event_headers, new_traceparent
from schemas.dead_letters import DeadLetter
from schemas.errors import RetryError
from schemas.events import Forecast, Prediction
from schemas.topics import DEAD_LETTERS, FORECASTS, PREDICTIONS, PREDICTIONS_LATEST, SERVICE_STATUS

_log = logging.getLogger(__name__)


class DeliveryError(RetryError):
    """The broker did not take a record: nothing may be committed, the process must begin again."""


class Publisher:
    """The producer of the predictor."""

    def __init__(self, settings: PredictorSettings, deliver_within_seconds: float = 30.0) -> None:
        self._deliver_within_seconds = deliver_within_seconds
        self._prefix = settings.topic_prefix
        self._source = f"predictor/{settings.instance}"
        self._pending = 0
        self._error: KafkaError | None = None
        self._producer = make_producer(settings, self._source, deliver_within_seconds)

    def send(self, prediction: Prediction, traceparent: str | None) -> None:
        """Send a prediction; a final one to `predictions` too."""
        headers = event_headers("Prediction", self._source, prediction.id, prediction.predicted_at_ns, traceparent)
        value = encode(prediction)
        for topic in (PREDICTIONS_LATEST,) if prediction.provisional else (PREDICTIONS, PREDICTIONS_LATEST):
            self._produce(topic.name, prediction.ticker.encode(), value, headers)

    def send_forecast(self, forecast: Forecast, traceparent: str | None) -> None:
        """Send an answer to whoever asked for a forecast."""
        headers: Headers = [("traceparent", (traceparent or new_traceparent()).encode())]
        self._produce(FORECASTS.name, forecast.request_id.encode(), encode(forecast), headers)

    def send_dead_letter(self, letter: DeadLetter) -> None:
        """Keep what cannot be understood. Where the broker takes no letter of that size, the log says so.

        To send it again would not help, and whoever met the bad record would meet it for ever.
        """
        try:
            self._produce(DEAD_LETTERS.name, letter.key, letter.value, letter.headers())
        except KafkaException as error:
            if error.args[0].code() != KafkaError.MSG_SIZE_TOO_LARGE:
                raise
            self._say_lost(error.args[0])

    def send_status(self, key: bytes, value: bytes) -> None:
        """Send the status of this service, from any thread; nobody waits for it, and a lost one does no harm."""
        self._producer.produce(self._prefix + SERVICE_STATUS.name, key=key, value=value)

    def serve(self) -> None:
        """Take in what the broker answered; the thread that sends predictions must call it now and then."""
        self._producer.poll(0)

    def wait(self) -> None:
        """Return when every prediction and dead letter is acknowledged.

        Raises:
            DeliveryError: One was not.
        """
        self._producer.flush(self._deliver_within_seconds + 5)
        if self._error is not None or self._pending:
            raise DeliveryError(f"the broker did not take a record: {self._error or 'no answer'}")

    def close(self) -> None:
        """Let the last status go out."""
        self._producer.flush(2)

    def _say_lost(self, error: KafkaError) -> None:
        _log.error("a dead letter is lost, larger than %s%s takes: %s", self._prefix, DEAD_LETTERS.name, error.str())

    def _produce(self, topic: str, key: bytes | None, value: bytes, headers: Headers) -> None:
        self._producer.produce(
            self._prefix + topic, key=key, value=value, headers=headers, on_delivery=self._on_delivery
        )
        self._pending += 1  # after it: of what it refused no word comes, and nobody may wait for one

    def _on_delivery(self, error: KafkaError | None, message: Message) -> None:
        self._pending -= 1
        if error is None:
            return
        if error.code() == KafkaError.MSG_SIZE_TOO_LARGE and message.topic() == self._prefix + DEAD_LETTERS.name:
            self._say_lost(error)
        else:
            self._error = error
