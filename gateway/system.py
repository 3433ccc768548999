"""What the services report, and which models serve."""

from itertools import takewhile
from typing import Any

import msgspec
from msgspec import structs

from gateway.presentation import safe_integer, time_text
from gateway.sources import sources_of
from schemas.decisions import Decisions
from schemas.events import HoldOutScore, ModelEvent, ModelMember, ServiceState, ServiceStatus
from schemas.times import NS_PER_SECOND

#: An instance that missed three reports may be dead: its last state counts no more.
SILENT_AFTER_SECONDS = 15
#: An instance that reported nothing for this long is gone, as is one that stopped.
GONE_AFTER_SECONDS = 60
#: Where no other instance takes the place of one that is gone, people see it for this long.
FORGET_AFTER_SECONDS = 3_600
_TRAINER, _INGESTOR = "trainer", "ingestor"
#: Sets that are known by name, those that had a part most lately.
MOST_SETS = 100

#: Best first; of several instances, the service's state is the worst.
_RANK = {
    state: rank
    for rank, state in enumerate(
        (
            ServiceState.READY,
            ServiceState.ENDED,
            ServiceState.DEGRADED,
            ServiceState.CATCHING_UP,
            ServiceState.STARTING,
            ServiceState.STOPPING,
        )
    )
}

Document = dict[str, Any]


def status_document(status: ServiceStatus, now_ns: int) -> Document:
    """Give the public form of one instance's status.

    Raises:
        UndecodableError: A value cannot be said at the edge.
    """
    lag = status.lag_records
    return {
        "instance": status.instance,
        "state": status.state,
        "message": status.message,
        "version": status.version,
        "started_at": time_text(status.started_at_ns),
        "updated_at": time_text(status.updated_at_ns),
        "age_seconds": _age_seconds(status, now_ns),
        "memory_bytes": safe_integer(status.memory_bytes, "memory_bytes"),
        "lag_records": None if lag is None else safe_integer(lag, "lag_records"),
        "rates": status.rates,
        "latency_seconds": status.latency_seconds,
        "commands": status.commands,
    }


class ServicesView:
    """The newest status of every instance. One that is gone is shown only while its service has no other, so that a
    service that died is missed, and one that was replaced is not.

    Attributes:
        source_in_trouble: An ingestor said last that nothing comes from its source although it should.
    """

    def __init__(self) -> None:
        self._statuses: dict[tuple[str, str], ServiceStatus] = {}
        self.source_in_trouble = False

    def accept(self, status: ServiceStatus, now_ns: int) -> None:
        """Take a status.

        Raises:
            UndecodableError: A value cannot be said at the edge; nothing changed.
        """
        status_document(status, now_ns)  # raises where it could not be shown later
        sources_of([status])  # likewise
        # Under a clock that is ahead, an instance would look alive long after its death.
        updated_at_ns = min(status.updated_at_ns, now_ns)
        self._statuses[status.service, status.instance] = structs.replace(status, updated_at_ns=updated_at_ns)
        self._forget(now_ns)
        self.source_in_trouble = any(
            status.state is ServiceState.DEGRADED
            for (service, _), status in self._statuses.items()
            if service == _INGESTOR
        )

    def document(self, now_ns: int) -> Document:
        """Give every service with its state and its instances."""
        self._forget(now_ns)
        instances: dict[str, list[ServiceStatus]] = {}
        for (service, _), status in sorted(self._statuses.items(), key=lambda item: item[0]):
            instances.setdefault(service, []).append(_as_heard(status, now_ns))
        return {service: service_document(statuses, now_ns) for service, statuses in instances.items()}

    def trainers(self, now_ns: int) -> list[ServiceStatus]:
        """Give the trainers that run, as they reported last."""
        return self._running(_TRAINER, now_ns)

    def ingestors(self, now_ns: int) -> list[ServiceStatus]:
        """Give the ingestors that run, likewise."""
        return self._running(_INGESTOR, now_ns)

    def _running(self, name: str, now_ns: int) -> list[ServiceStatus]:
        return [
            status
            for (service, _), status in self._statuses.items()
            if service == name
            and status.state is not ServiceState.STOPPING
            and _silent_seconds(status, now_ns) < SILENT_AFTER_SECONDS
        ]

    def _forget(self, now_ns: int) -> None:
        gone = {name for name, status in self._statuses.items() if _is_gone(status, now_ns)}
        alive = {service for service, _ in self._statuses.keys() - gone}
        for name in gone:
            if name[0] in alive or _silent_seconds(self._statuses[name], now_ns) > FORGET_AFTER_SECONDS:
                del self._statuses[name]


def _silent_seconds(status: ServiceStatus, now_ns: int) -> int:
    return (now_ns - status.updated_at_ns) // NS_PER_SECOND


def _age_seconds(status: ServiceStatus, now_ns: int) -> float:
    return max(0, now_ns - status.updated_at_ns) / NS_PER_SECOND


def _is_gone(status: ServiceStatus, now_ns: int) -> bool:
    return status.state is ServiceState.STOPPING or _silent_seconds(status, now_ns) > GONE_AFTER_SECONDS


def _as_heard(status: ServiceStatus, now_ns: int) -> ServiceStatus:
    """Give a status as it is to be believed now."""
    seconds = _silent_seconds(status, now_ns)
    if seconds < SILENT_AFTER_SECONDS:
        return status
    if status.state is ServiceState.STOPPING:
        return structs.replace(status, message=f"stopped {seconds} s ago")
    message = f"no report for {seconds} s; last state: {status.state}"
    return structs.replace(status, state=ServiceState.DEGRADED, message=message)


def service_document(instances: list[ServiceStatus], now_ns: int) -> Document:
    """Give the public form of a service by its instances (one or more)."""
    worst = max(instances, key=lambda status: _RANK[status.state])
    return {
        "state": worst.state,
        "message": worst.message,
        "version": worst.version,
        "age_seconds": min(_age_seconds(status, now_ns) for status in instances),
        "instances": [status_document(status, now_ns) for status in instances],
    }


NO_MODELS: Document = {
    "serving": None,
    "message": "no model set has been announced yet: the statistical forecaster answers",
}


def _exact(scores: list[HoldOutScore]) -> list[HoldOutScore]:
    for score in scores:
        safe_integer(score.horizon, "horizon")
        safe_integer(score.count, "count")
    return scores


def _members(members: list[ModelMember]) -> list[ModelMember]:
    for member in members:
        _exact(member.hold_out)
    return members


def models_document(event: ModelEvent) -> Document:
    """Give the public form of the serving state.

    Raises:
        UndecodableError: A value cannot be said at the edge.
    """
    return {
        "serving": event.serving,
        "model_set": event.model_set,
        "action": event.action,
        "reason": event.reason,
        "decided_by": event.decided_by,
        "decided_at": time_text(event.decided_at_ns),
        "interval": event.interval,
        "horizons": [safe_integer(horizon, "horizons") for horizon in event.horizons],
        "feature_version": event.feature_version,
        "train_start": time_text(event.train_start_ns),
        "train_end": time_text(event.train_end_ns),
        "tickers": event.tickers,
        "members": _members(event.members),
        "hold_out": _exact(event.hold_out),
        "baselines": {name: _exact(scores) for name, scores in event.baselines.items()},
        "challenger": event.challenger,
    }


class ModelsView:
    """The newest decision on models; `body` is its JSON, and says so where there is none yet.

    Attributes:
        known: The sets that serve or challenge, or did; the one that decisions named last at the end.
        serving_since_ns: From which decision on the set that serves has served, of those that are remembered; None
            before the first.
    """

    def __init__(self) -> None:
        self._decisions = Decisions()
        self.known: dict[str, None] = {}
        self.newest: ModelEvent | None = None
        self.serving_since_ns: int | None = None
        self.body = msgspec.json.encode(NO_MODELS)

    def accept(self, event: ModelEvent, partition: int) -> None:
        """Take the next decision of a partition; the one that holds by `schemas.decisions` is shown.

        Raises:
            UndecodableError: A value cannot be said at the edge; nothing changed.
        """
        models_document(event)  # raises where it could not be shown
        self._decisions.add(partition, event)
        newest = self.newest = self._decisions.newest() or event
        kept = takewhile(lambda one: one.serving == newest.serving, self._decisions.newest_first())
        *_, self.serving_since_ns = (one.decided_at_ns for one in kept)
        self.body = msgspec.json.encode(models_document(self.newest))
        self._know(event.challenger, event.serving)

    def _know(self, *names: str | None) -> None:
        for name in names:
            if name is not None:
                self.known.pop(name, None)
                self.known[name] = None
        while len(self.known) > MOST_SETS:
            del self.known[next(iter(self.known))]
