"""The recorder as a process: checks, migrations, the lock, the loop."""

import logging

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource
from sqlalchemy.exc import SQLAlchemyError

from gateway.database.engine import open_engine
from gateway.database.migrate import migrate
from gateway.recorder.alone import alone
from gateway.recorder.figures import Figures
from gateway.recorder.reading import RecordReader
from gateway.recorder.recorder import Recorder
from gateway.recorder.rows import RECORDED
from gateway.recorder.settings import RecorderSettings
from gateway.recorder.telling import Teller
from schemas.broker import require_topics
from schemas.errors import RetryError
from schemas.events import ServiceState
from schemas.service import serve_metrics, stop_event_on_signals
from schemas.status import StatusBoard, StatusReporter
from schemas.topics import DEAD_LETTERS, SERVICE_STATUS

SERVICE = "recorder"
_TOPICS = (*(topic for topic, _, _ in RECORDED), DEAD_LETTERS, SERVICE_STATUS)

_log = logging.getLogger(__name__)


def run(settings: RecorderSettings) -> None:
    """Record until SIGTERM or SIGINT.

    Raises:
        BrokerUnreachableError: No broker answers; start again.
        StopAndSayError: A topic is missing or not as it should be, or another recorder has the database.
        RetryError: Broker or database went away, or a topic was made anew; start again.
    """
    stop = stop_event_on_signals()
    require_topics(settings, _TOPICS, AdminClient, ConfigResource)
    board = StatusBoard(SERVICE, settings.instance)
    teller = Teller(settings)
    server = serve_metrics(board, settings.metrics_host, settings.metrics_port)
    reporter = StatusReporter(board, teller.send_status)
    reporter.start()
    engine, reader = open_engine(settings), RecordReader(settings)
    try:
        with alone(engine) as check_alone:
            migrate(engine)
            _log.info("recording into %s", engine.url.render_as_string(hide_password=True))
            board.set_state(ServiceState.CATCHING_UP)
            Recorder(settings, engine, reader, teller, Figures(board), check_alone).run(stop.is_set)
    except KafkaException as error:
        raise RetryError(f"the broker cannot be read: {error.args[0].str()}") from error
    except SQLAlchemyError as error:
        raise RetryError(f"the database does not answer ({type(error).__name__})") from error
    finally:
        reader.close()
        engine.dispose()
        reporter.stop()
        teller.close()
        server.shutdown()
