"""The loop of the predictor: read features, predict them at once, send, wait, commit."""

import logging
import threading
import time
from collections.abc import Callable

from confluent_kafka import Message

from predictor.age import AgeRule
from predictor.announced import Load
from predictor.artifacts import ModelSet
from predictor.batch import problem_of
from predictor.beside import Beside
from predictor.challenger import Challenger
from predictor.condition import condition_of
from predictor.degraded import STALE, STALE_REFUSED
from predictor.failure_log import FailureLog
from predictor.figures import Figures
from predictor.model_feed import ModelFeed
from predictor.predict import answer
from predictor.publisher import Publisher
from predictor.question import Question
from predictor.reader import FeatureReader
from predictor.selection import Progress, Received
from predictor.serving import Serving
from predictor.settings import PredictorSettings
from schemas.codec import UndecodableError, decoder, traceparent_of
from schemas.dead_letters import DeadLetter
from schemas.events import Features, ModelEvent, Prediction, ServiceState
from schemas.log_events import LogEvent
from schemas.log_summary import LogSummary
from schemas.status import StatusBoard
from schemas.topics import FEATURES
from schemas.tracing import PROCESS_FEATURES, Tracer

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.1


class Worker:
    """One predictor: everything it says is acknowledged before it commits that it has read the question.

    Attributes:
        models_known: Set when the decisions on models that were there at the start have been followed.
    """

    def __init__(
        self,
        settings: PredictorSettings,
        load: Load,
        board: StatusBoard,
        figures: Figures,
        load_challenger: Load,
        tracer: Tracer | None = None,
    ) -> None:
        self.challenger = Challenger(settings, load_challenger)
        self.serving = Serving(settings, self._load)
        self.feed = ModelFeed(settings)
        self.publisher = Publisher(settings)
        self.models_known = threading.Event()
        self._settings = settings
        self._load_serving = load
        self._board = board
        self._figures = figures
        self._tracer = tracer
        self._decode = decoder(Features)
        self._progress = Progress()
        self._failures = FailureLog()
        self._summary = LogSummary(_log, LogEvent.PREDICTED, settings)
        self._beside = Beside(settings.shadow_budget_ms / 1_000)
        self._ages = AgeRule(settings.interval, settings.model_max_age_bars, settings.refuse_stale_models)
        self._newest_ns = 0

    def run(self, stopping: Callable[[], bool]) -> None:
        """Work until told to stop; the batch at hand is finished and committed.

        Raises:
            RetryError: The broker did not take a prediction, or another process may have this one's partitions by now;
                nothing of the batch was committed.
        """
        try:
            self.feed.read_to_ends(stopping)
            self._answer(stopping)
        finally:
            self._beside.close()
            self.feed.close()

    def _answer(self, stopping: Callable[[], bool]) -> None:
        reader = FeatureReader(self._settings, self._progress.forget)
        try:
            while not stopping():
                self._watch_swap(self._follow_models)
                self.models_known.set()
                self._step(reader)
                self._report(reader)
        finally:
            reader.close()

    def _load(self, event: ModelEvent) -> ModelSet:
        """Load the set that is to serve; the challenger that was shown until now is here already."""
        return self.challenger.loaded(event.serving) or self._load_serving(event)

    def _follow_models(self) -> None:
        event = self.feed.poll()
        if event is None:
            self.serving.try_again()
        else:
            self.serving.announce(event, self.feed.earlier())
            self.challenger.announce(event)  # second: until now it has the set that may have been promoted
        self.challenger.follow(self.serving.edge.next_bar_ns, time.monotonic())

    def _watch_swap(self, change: Callable[[], None]) -> None:
        before = self.serving.current
        change()
        if self.serving.current is not before:
            self._figures.count_swap()

    def _step(self, reader: FeatureReader) -> None:
        messages = reader.read(_POLL_SECONDS)
        if not messages:
            self.publisher.serve()
            return
        began = time.perf_counter()
        selected = self._progress.select(received for message in messages if (received := self._receive(message)))
        events = [each.features for each in selected]
        self._watch_swap(lambda: self.serving.observe(events, caught_up=reader.caught_up()))
        self.challenger.follow(self.serving.edge.next_bar_ns, time.monotonic())
        predictions = self._predict(events)
        reader.require_place()
        for prediction, each in zip(predictions, selected, strict=True):
            self.publisher.send(prediction, self._traceparent(each, prediction))
        self.publisher.wait()
        reader.commit()
        self._figures.count_acknowledged(predictions, time.perf_counter() - began)

    def _receive(self, message: Message) -> Received | None:
        try:
            features = self._decode(message.value())
            problem = problem_of(features, self._settings.interval)
        except UndecodableError as error:
            problem = str(error)
        if problem is not None:
            self._dead_letter(message, problem)
            return None
        return Received(features, message.partition(), message.offset(), traceparent_of(message.headers()))

    def _traceparent(self, received: Received, prediction: Prediction) -> str | None:
        """Give the trace that a prediction carries on: that of its features, with this hop where it is followed."""
        if self._tracer is None or received.traceparent is None:
            return received.traceparent
        return self._tracer.follow(
            PROCESS_FEATURES,
            received.traceparent,
            prediction.featured_at_ns,
            prediction.predicted_at_ns,
            ticker=prediction.ticker,
            event_id=prediction.id,
            partition=received.partition,
            offset=received.offset,
        )

    def _dead_letter(self, message: Message, reason: str) -> None:
        letter = DeadLetter(
            value=message.value() or b"",
            key=message.key(),
            reason=reason,
            origin=FEATURES.name,
            partition=message.partition(),
            offset=message.offset(),
        )
        self.publisher.send_dead_letter(letter)
        self._figures.count_dead_letter()
        _log.warning("dead letter %s: %s", letter.id, reason)

    def _predict(self, events: list[Features]) -> list[Prediction]:
        if not events:
            return []
        began = time.perf_counter()
        settings, serving, challenger = self._settings, self.serving.current, self.challenger
        question = Question(
            events, settings.horizons, time.time_ns(), self.feed.boards, settings.signal_share, self._ages
        )
        predicted = answer(question, serving)
        self._figures.count_call(len(events), time.perf_counter() - began)
        self._failures.say(predicted.failures)
        self._newest_ns = max(self._newest_ns, *(event.as_of_ns for event in events))
        return self._beside.show(question, predicted, serving, challenger.current, challenger.share)

    def _report(self, reader: FeatureReader) -> None:
        if not reader.assigned:
            return
        self._board.set_state(*self._state(reader))
        if self._figures.due():
            self._figures.report(reader.lag_records())
        if self._summary.is_due(now_s := time.monotonic()):
            self._summary.say(self._figures.totals(), now_s)

    def _state(self, reader: FeatureReader) -> tuple[ServiceState, str]:
        if not reader.caught_up():
            return ServiceState.CATCHING_UP, ""
        failing, rests = self._failures.failing, self._beside.rests
        return condition_of(self.serving, self.challenger, failing, self._age(), rests=rests)

    def _age(self) -> str | None:
        """Say that the serving set is stale, if it is, by the newest event."""
        current, ages = self.serving.current, self._ages
        if current is None or not ages.is_stale(current.manifest.train_end_ns, self._newest_ns):
            return None
        return STALE_REFUSED if ages.refuse else STALE
