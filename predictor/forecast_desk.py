"""`forecast-requests` to `forecasts`: a thread with a consumer and a producer of its own, beside the predictions.

The predictors of a deployment share the requests as a group (`<prefix>predictor-forecasts`): each is answered by one of
them. It is committed when its answer is acknowledged, so that one killed in between is answered again, under the same
id. Whatever the broker does here never ends the predictor: the desk begins again.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from predictor.artifacts import ModelSet
from predictor.figures import Figures
from predictor.forecast_requests import cannot_be_answered
from predictor.forecasting import forecast, refused
from predictor.publisher import DeliveryError, Publisher
from predictor.request_reading import ForecastRequest, Unreadable, read_request
from predictor.settings import PredictorSettings
from schemas.codec import UndecodableError, traceparent_of
from schemas.dead_letters import DeadLetter
from schemas.events import Forecast
from schemas.logs import client_logger
from schemas.topics import FORECAST_REQUESTS

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.1
#: Requests that are answered before they are committed, at most.
_BATCH_RECORDS = 50
_RETRY_SECONDS = 1.0
_STOP_SECONDS = 5.0
_LONGEST_REASON_SAID = 500

#: Gives the set that serves now.
Serving = Callable[[], ModelSet | None]


class ForecastDesk:
    """Answers requests in the background, from `start` to `stop`."""

    def __init__(self, settings: PredictorSettings, serving: Serving, ready: threading.Event, figures: Figures) -> None:
        """Prepare; nothing is asked of the broker.

        Args:
            ready: Set when the models are known: a request that came before waits for it.
        """
        self._settings = settings
        self._serving = serving
        self._ready = ready
        self._figures = figures
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="forecasts", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the answers at hand, and end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self._ready.wait(_POLL_SECONDS):
                continue
            try:
                self._answer_all()
            except (KafkaException, DeliveryError) as error:  # retry: what was not committed is answered again
                _log.warning("forecasts cannot be answered, trying again: %s", error)
            except Exception:  # retry likewise, once a second and each time with its trace: a desk whose thread has
                # ended would leave requests without an answer and without a word, while the predictions go on
                _log.exception("forecasts cannot be answered, trying again")
            self._stopping.wait(_RETRY_SECONDS)

    def _answer_all(self) -> None:
        publisher = Publisher(self._settings)
        consumer = self._consumer()
        try:
            consumer.subscribe([self._settings.topic_prefix + FORECAST_REQUESTS.name])
            while not self._stopping.is_set():
                self._step(consumer, publisher)
        finally:
            consumer.close()
            publisher.close()

    def _consumer(self) -> Consumer:
        settings = self._settings
        return Consumer(
            settings.kafka_config()
            | {
                "group.id": f"{settings.consumer_group}-forecasts",
                "client.id": f"predictor/{settings.instance}",
                "logger": client_logger(),
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "session.timeout.ms": 6_000,
                "heartbeat.interval.ms": 1_000,
                # The embedded broker holds an empty fetch for its whole wait, even when a record comes.
                "fetch.wait.max.ms": 20 if settings.kafka_embedded else 500,
                "queued.max.messages.kbytes": 16_384,
            }
        )

    def _step(self, consumer: Consumer, publisher: Publisher) -> None:
        first = consumer.poll(_POLL_SECONDS)
        if first is None:
            publisher.serve()
            return
        began = time.perf_counter()
        messages = [each for each in (first, *consumer.consume(_BATCH_RECORDS - 1, timeout=0)) if _is_record(each)]
        kinds = [self._answer(message, publisher) for message in messages]
        publisher.wait()
        self._figures.count_forecasts(kinds, time.perf_counter() - began)
        _commit(consumer, messages)

    def _answer(self, message: Message, publisher: Publisher) -> str:
        """Send an answer, or a dead letter; give what it was, for the figures."""
        try:
            asked = read_request(message.value())
            asker = asked.request_id if isinstance(asked, Unreadable) else asked.id
            problem = cannot_be_answered(asker)
            if problem is None:
                answer = self._answer_to(asked)
                publisher.send_forecast(answer, traceparent_of(message.headers()))
                return "error" if answer.error else "statistical" if answer.degraded else "arima"
        except UndecodableError as error:
            problem = str(error)
        except Exception as error:  # dead-letter: whatever it is, the next requests are waited for
            problem = f"it could not be answered: {type(error).__name__}: {error}"
        self._dead_letter(message, problem, publisher)
        return "dead_letter"

    def _answer_to(self, asked: ForecastRequest | Unreadable) -> Forecast:
        if isinstance(asked, Unreadable):
            return refused(asked.request_id, asked.problem, time.time_ns())
        settings = self._settings
        return forecast(asked, self._serving(), settings.interval, time.time_ns(), settings.signal_share)

    def _dead_letter(self, message: Message, reason: str, publisher: Publisher) -> None:
        letter = DeadLetter(
            value=message.value() or b"",
            key=message.key(),
            reason=reason,
            origin=FORECAST_REQUESTS.name,
            partition=message.partition(),
            offset=message.offset(),
        )
        publisher.send_dead_letter(letter)
        self._figures.count_dead_letter()
        _log.warning("dead letter %s: %s", letter.id, reason[:_LONGEST_REASON_SAID])


def _is_record(message: Message) -> bool:
    error = message.error()
    if error is None:
        return True
    if error.fatal():
        raise KafkaException(error)
    _log.warning("reading %s: %s", FORECAST_REQUESTS.name, error.str())
    return False


def _commit(consumer: Consumer, messages: Sequence[Message]) -> None:
    """Commit what was answered. After a failure go on: it is answered again."""
    newest = {(each.topic(), each.partition()): each.offset() + 1 for each in messages}
    if not newest:
        return
    try:
        places = [TopicPartition(topic, partition, offset) for (topic, partition), offset in newest.items()]
        consumer.commit(offsets=places, asynchronous=False)
    except KafkaException as error:
        if error.args[0].fatal():
            raise
        _log.warning("offsets were not committed: %s", error.args[0].str())
