"""The trainer as a process: checks, metrics, status, the loop."""

import logging
import os
import signal
import sys
import time
from threading import Thread

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource

from predictor.training.service.attempt import Attempt, attempt
from predictor.training.service.carry_out import AtStep
from predictor.training.service.figures import Figures
from predictor.training.service.outside import Outside, real_outside
from predictor.training.service.past import TRAINER
from predictor.training.service.sender import Sender
from predictor.training.service.trainer import Trainer
from predictor.training.settings import TrainingSettings
from schemas.broker import require_topics
from schemas.errors import RetryError
from schemas.service import serve_metrics, stop_event_on_signals
from schemas.status import StatusBoard, StatusReporter
from schemas.topics import MODEL_COMMANDS, MODELS, OUTCOMES, SCORES, SERVICE_STATUS

_log = logging.getLogger(__name__)
#: What is told to stop ends within this, whatever it waits for: the mirror's import alone takes seconds.
_STOP_SECONDS = 1.5
_ENDING = frozenset({signal.SIGTERM, signal.SIGINT})
_TOPICS = (MODELS, MODEL_COMMANDS, SCORES, OUTCOMES, SERVICE_STATUS)


def run(
    settings: TrainingSettings,
    outside: Outside | None = None,
    *,
    attempt: Attempt = attempt,
    at_step: AtStep = lambda _: None,
) -> None:
    """Train and decide until SIGTERM or SIGINT.

    Args:
        settings: What is trained on, and where sets go.
        outside: What it works with; None: what the settings say.
        attempt: Does a training, in a process of its own.
        at_step: Told each step before it begins.

    Raises:
        BrokerUnreachableError: No broker answers; start again.
        StopAndSayError: A topic is missing or not as it should be.
        RetryError: The broker or the store did not take something; start again.
    """
    stop = stop_event_on_signals()
    _end_in_time()
    require_topics(settings, _TOPICS, AdminClient, ConfigResource)
    board, sender = StatusBoard(TRAINER, settings.instance), Sender(settings)
    outside = outside or real_outside(settings)
    trainer = Trainer(settings, outside, sender, board, Figures(), attempt=attempt, at_step=at_step)
    server = serve_metrics(board, settings.metrics_host, settings.metrics_port)
    reporter = StatusReporter(board, sender.send_status)
    reporter.start()
    try:
        trainer.run(stop.is_set)
    except KafkaException as error:
        raise RetryError(f"the broker cannot be read or written: {error.args[0].str()}") from error
    finally:
        reporter.stop()
        sender.close()
        server.shutdown()
    _end_now()


def _end_in_time() -> None:
    """See to it that a signal ends the process in time, in the middle of a step too: the next start goes on from any.

    The handler of a signal runs in the main thread, and not before that is through with what it does in C: importing
    the mirror's client, or migrating its database, takes seconds. So a thread is told by the kernel.
    """
    told, telling = os.pipe()
    os.set_blocking(telling, False)
    signal.set_wakeup_fd(telling, warn_on_full_buffer=False)

    def wait() -> None:
        while not _ENDING.intersection(os.read(told, 64)):
            pass
        time.sleep(_STOP_SECONDS)
        _log.info("ended in the middle of a step; the next start goes on with it")
        _end_now()

    Thread(target=wait, name="end", daemon=True).start()


def _end_now() -> None:
    """End without taking down what was imported: with the mirror's client that takes seconds."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)
