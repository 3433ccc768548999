"""The Faust app: what is wired to what."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import faust
from faust.auth import SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT
from yarl import URL

from feature_stream.membership import Membership
from feature_stream.settings import WorkerSettings
from feature_stream.transport import StartPositions, Transport
from schemas.errors import StopAndSayError
from schemas.topics import FEATURE_STAGE, TICKS, Topic

#: A broker that has just come back may know no topic yet. Partitions are then shared out as if there were none, and
#: with aiokafka's default of five minutes all workers would be standbys for so long.
_METADATA_AGE_MS = 5_000
#: To Faust the records that a batch has of a partition are one message.
_WAITING_MESSAGES = 4


def broker_urls(bootstrap_servers: str) -> list[URL]:
    """Give the bootstrap servers as Faust takes them."""
    return [URL(f"kafka://{server.strip()}") for server in bootstrap_servers.split(",")]


def credentials(settings: WorkerSettings) -> CredentialsT | None:
    """Give what the cluster asks for; None for a plain one."""
    context = settings.kafka_tls()
    if settings.kafka_uses_sasl:
        return SASLCredentials(
            username=settings.kafka_sasl_username,
            password=settings.kafka_password(),
            mechanism=settings.kafka_sasl_mechanism,
            ssl_context=context,
        )
    return SSLCredentials(context) if context else None


def make_app(settings: WorkerSettings, name: str = FEATURE_STAGE) -> faust.App:
    """Make the app; it creates no topic and serves no web page.

    Args:
        settings: Of the worker.
        name: Of the app, its consumer group and the start of its changelogs' names, all without the prefix.

    Raises:
        StopAndSayError: The state store is not installed.
    """
    if settings.state_store == "rocksdb" and find_spec("rocksdb") is None:
        raise StopAndSayError("TICKCAST_STATE_STORE is rocksdb, which is missing: pip install 'tickcast[rocksdb]'")
    own = Path() if name == FEATURE_STAGE else Path(name)
    directory = settings.data_directory / own / settings.topic_prefix / settings.instance
    directory.mkdir(parents=True, exist_ok=True)  # Faust makes only the last folder
    return faust.App(
        f"{settings.topic_prefix}{name}",
        broker=broker_urls(settings.kafka_bootstrap_servers),
        broker_credentials=credentials(settings),
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.session_timeout_seconds / 5,
        broker_rebalance_timeout=30.0,
        consumer_metadata_max_age_ms=_METADATA_AGE_MS,
        store=f"{settings.state_store}://",
        datadir=directory,
        table_standby_replicas=settings.standby_replicas,
        topic_partitions=settings.partitions,
        topic_replication_factor=settings.replication_factor,
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_buffer_maxsize=_WAITING_MESSAGES,
        web_enabled=False,
    )


def use_transport(
    app: faust.App,
    settings: WorkerSettings,
    membership: Membership,
    start_positions: StartPositions,
    transport_type: type[Transport] = Transport,
) -> None:
    """Give the app our transport."""
    transport = transport_type(app.conf.broker_consumer, app, loop=None)
    transport.membership = membership
    transport.start_positions = start_positions
    transport.settings = settings
    app.transport = transport


def raw_topic(app: faust.App, settings: WorkerSettings, topic: Topic = TICKS) -> Any:
    """Declare a topic, raw: the worker decodes; it keeps its own place too, and acknowledges nothing to Faust."""
    return app.topic(
        settings.topic_prefix + topic.name,
        key_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        acks=False,
        partitions=settings.partitions,
    )
