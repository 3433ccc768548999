"""The loop of the predictor: read features, predict them at once, send, wait, commit."""

import logging
import threading
import time
from collections.abc import Callable

from confluent_kafka import Message

from predictor.announced import Load
from predictor.batch import problem_of
from predictor.figures import Figures
from predictor.model_feed import ModelFeed
from predictor.predict import predict
from predictor.publisher import Publisher
from predictor.reader import FeatureReader
from predictor.selection import Progress, Received
from predictor.serving import Serving
from predictor.settings import PredictorSettings
from schemas.codec import UndecodableError, decoder, traceparent_of
from schemas.dead_letters import DeadLetter
from schemas.events import Features, Prediction, ServiceState
from schemas.status import StatusBoard
from schemas.topics import FEATURES

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.1


class Worker:
    """One predictor: everything it says is acknowledged before it commits that it has read the question.

    Attributes:
        models_known: Set when the decisions on models that were there at the start have been followed.
    """

    def __init__(self, settings: PredictorSettings, load: Load, board: StatusBoard, figures: Figures) -> None:
        self.serving = Serving(settings, load)
        self.feed = ModelFeed(settings)
        self.publisher = Publisher(settings)
        self.models_known = threading.Event()
        self._settings = settings
        self._board = board
        self._figures = figures
        self._decode = decoder(Features)
        self._progress = Progress()
        self._failing: dict[str, str] = {}

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

    def _follow_models(self) -> None:
        event, now_seconds = self.feed.poll(), time.monotonic()
        if event is None:
            self.serving.try_again(now_seconds)
        else:
            self.serving.announce(event, self.feed.earlier(), now_seconds=now_seconds)

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
        predictions = self._predict(events)
        reader.require_place()
        for prediction, each in zip(predictions, selected, strict=True):
            self.publisher.send(prediction, each.traceparent)
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
        return Received(features, message.partition(), traceparent_of(message.headers()))

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
        settings = self._settings
        predicted = predict(
            events, self.serving.current, settings.horizons, time.time_ns(), self.feed.boards, settings.signal_share
        )
        self._figures.count_call(len(events), time.perf_counter() - began)
        self._say_failures(predicted.failures)
        return predicted.predictions

    def _say_failures(self, failures: dict[str, str]) -> None:
        """Log a member that begins to fail, or to answer again, and not every batch between."""
        for name in failures.keys() - self._failing.keys():
            _log.error("member %s is left out: %s", name, failures[name])
        for name in self._failing.keys() - failures.keys():
            _log.info("member %s answers again", name)
        self._failing = failures

    def _report(self, reader: FeatureReader) -> None:
        if not reader.assigned:
            return
        self._board.set_state(*self._state(reader))
        if self._figures.due():
            self._figures.report(reader.lag_records())

    def _state(self, reader: FeatureReader) -> tuple[ServiceState, str]:
        current, waiting, unloadable = self.serving.current, self.serving.waiting, self.serving.unloadable
        if not reader.caught_up():
            return ServiceState.CATCHING_UP, ""
        if current is None:
            name = waiting and waiting.manifest.model_set
            why = f"model set {name} was trained on bars still to be predicted" if name else "untrained"
            return ServiceState.DEGRADED, f"{unloadable or why}: the statistical forecaster answers"
        if unloadable is not None:
            return ServiceState.DEGRADED, f"{unloadable}; keeping model set {current.manifest.model_set}"
        missing = current.refused.keys() | self._failing.keys()
        counted = any(each.prior_weight > 0 for each in current.manifest.members if each.name in missing)
        without = f" without {', '.join(sorted(missing))}" if missing else ""
        state = ServiceState.DEGRADED if counted else ServiceState.READY  # what is only shown is not missed
        return state, f"model set {current.manifest.model_set}{without}"
