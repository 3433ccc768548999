"""What is degraded, in words. Pure."""

from collections import Counter
from collections.abc import Iterable

from gateway.client.health import Health
from gateway.client.watch.words import plain
from schemas.events import OLD_MODELS, ServiceState
from schemas.sockets import StreamedPrediction

_WELL = {ServiceState.READY, ServiceState.ENDED}


def troubles(health: Health | None, predictions: Iterable[StreamedPrediction]) -> list[str]:
    """Say what is wrong, the system first.

    Args:
        health: None where it is not known.
    """
    said = [] if health is None else _of_services(health)
    return [plain(trouble) for trouble in [*said, *_of_predictions(list(predictions))]]


def shortfall(prediction: StreamedPrediction) -> str | None:
    """Give why less than the full ensemble answered; None where all of it did, though its models be old."""
    return None if prediction.degraded == OLD_MODELS else prediction.degraded


def _of_services(health: Health) -> list[str]:
    named = [
        f"{name} is {service.state.replace('_', ' ')}{_behind_colon(service.message)}"
        for name, service in health.services.items()
        if service.state not in _WELL
    ]
    if named or health.status == "healthy":
        return named
    return [f"the system is degraded{_behind_colon(health.message)}"]


def _behind_colon(message: str) -> str:
    return f": {message}" if message else ""


def _of_predictions(predictions: list[StreamedPrediction]) -> list[str]:
    reasons = Counter(filter(None, map(shortfall, predictions)))
    if not reasons:
        return []
    [(commonest, _)] = reasons.most_common(1)
    return [f"{reasons.total()} of {len(predictions)} predictions are degraded: {commonest}"]
