"""The parts of a whole system on one machine, and what each is told."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from deploy.addresses import url_of
from deploy.kept_place import KeptPlace
from deploy.parts import Part
from deploy.run_options import RunSettings

DATABASE_URL = "TICKCAST_DATABASE_URL"
#: Where a service's /metrics and /health are, where nobody else is there.
METRICS_PORTS = {
    "ingestor": 9101,
    "feature_stream": 9102,
    "predictor": 9103,
    "trainer": 9104,
    "recorder": 9105,
    "outcomes": 9106,
}
#: The modules of services that are not called like theirs, and what they are told.
_COMMANDS = {
    "outcomes": ("feature_stream.outcomes",),
    "recorder": ("gateway.recorder",),
    "trainer": ("predictor.training", "trainer"),
}

#: Without these all others go on; a training gives way to what is live.
_NICENESS = {"trainer": 10, "recorder": 0}


@dataclass(frozen=True)
class Place:
    """Where one run of the system lives.

    Attributes:
        broker: The `TICKCAST_*` variables that lead to the broker.
        topic_prefix: Before the names of its topics and groups.
        data_directory: Of the feature stage's tables.
        gateway_port: Checked to be free.
        metrics_ports: By service, likewise.
        gateway_host: Where the gateway listens.
        https: Whether it speaks HTTPS.
        metrics_host: Where the services' `/metrics` and `/health` listen.
        servers: The `TICKCAST_*` variables that lead to a database and a Redis of ours, where there are any.
        unconfirmed: To be remembered once the ingestor has accepted the log that was there.
    """

    broker: Mapping[str, str]
    topic_prefix: str
    data_directory: Path
    gateway_port: int
    metrics_ports: Mapping[str, int]
    gateway_host: str = "127.0.0.1"
    https: bool = False
    metrics_host: str = "127.0.0.1"
    servers: Mapping[str, str] = field(default_factory=dict)
    unconfirmed: KeptPlace | None = None

    @property
    def url(self) -> str:
        """Give the address of the page and the APIs."""
        return url_of(self.gateway_host, self.gateway_port, https=self.https)

    def health_url(self, service: str) -> str:
        """Give the address that answers 200 once a service is ready; the gateway's is its own."""
        return f"{url_of(self.metrics_host, self.metrics_ports[service])}/health"


def source_variables(settings: RunSettings, interval: str) -> dict[str, str]:
    """Give the variables that say what is played."""
    variables = {
        "TICKCAST_INTERVAL": interval,
        "TICKCAST_SOURCE": settings.source,
        "TICKCAST_TICKERS": ",".join(settings.tickers),
        "TICKCAST_LOOP": str(settings.loop).lower(),
    }
    optional = {
        "TICKCAST_SPEED": None if settings.speed is None else f"{settings.speed:g}",
        "TICKCAST_START": settings.start,
        "TICKCAST_END": settings.end,
    }
    return variables | {name: value for name, value in optional.items() if value is not None}


def service_variables(settings: RunSettings, interval: str, place: Place) -> dict[str, str]:
    """Give the variables that all parts share."""
    variables = _place_and_source(settings, interval, place) | {"TICKCAST_GATEWAY_PORT": str(place.gateway_port)}
    # Of a database of ours: a log that was thrown away leaves no history behind.
    if DATABASE_URL in place.servers or not settings.database_url.get_secret_value():
        variables["TICKCAST_RECORDER_FORGETS_OTHER_LOGS"] = "true"
    return variables


def running_variables(settings: RunSettings, interval: str, place: Place) -> dict[str, str]:
    """Give what `var/running.env` says: where the run is, and what it plays."""
    return _place_and_source(settings, interval, place) | {"TICKCAST_URL": place.url}


def _place_and_source(settings: RunSettings, interval: str, place: Place) -> dict[str, str]:
    return {
        **place.broker,
        **place.servers,
        "TICKCAST_TOPIC_PREFIX": place.topic_prefix,
        "TICKCAST_DATA_DIRECTORY": str(place.data_directory),
        **source_variables(settings, interval),
    }


def system_parts(environment: Mapping[str, str], variables: Mapping[str, str], place: Place) -> tuple[Part, ...]:
    """Give the gateway, the services before it, and those without which all others go on."""
    shared = {**environment, "PYTHONUNBUFFERED": "1", **variables}
    gateway = Part("gateway", (sys.executable, "-m", "gateway"), shared, f"{place.url}/health")
    services = {
        name: Part(
            name,
            (sys.executable, "-m", *_COMMANDS.get(name, (name,))),
            {**shared, "TICKCAST_METRICS_PORT": str(port)},
            place.health_url(name),
        )
        for name, port in place.metrics_ports.items()
    }
    beside = [replace(services.pop(name), niceness=_NICENESS[name], essential=False) for name in _NICENESS]
    return (*reversed(services.values()), gateway, *beside)
