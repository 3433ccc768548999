"""Show the first prediction to whoever started the system, and say when the models answer."""

from collections.abc import Callable
from typing import Any

from deploy.log_lines import Log
from deploy.readiness import KeyRequiredError, until, until_ready
from schemas.events import OLD_MODELS
from schemas.times import from_rfc3339

#: A prediction as the gateway's JSON has it.
_Prediction = dict[str, Any]


async def greet(url: str, log: Log, since_ns: int) -> None:
    """Print the address, the first prediction, and one line once trained models are behind one; where a key is asked
    for, how one is made.

    Args:
        since_ns: When this run began: the log may hold older predictions, which say nothing of it.
    """

    def is_new(prediction: _Prediction) -> bool:
        return from_rfc3339(prediction["updated_at"]) >= since_ns

    await until_ready(f"{url}/health")
    log.say(f"open {url}/ in a browser; {url}/docs lists the API")
    try:
        first = await _first(url, is_new)
    except KeyRequiredError:
        log.say("it asks who you are: `tickcast keys create --name me` makes a key (docs/access.md)")
        return
    log.say(f"first prediction: {sentence(first)}")
    log.say(f"try: curl {url}/predict/{first['ticker']}")
    if not _is_by_models(first):
        trained = await _first(url, lambda prediction: is_new(prediction) and _is_by_models(prediction))
        log.say(f"the models answer now: {sentence(trained)}")


def _is_by_models(prediction: _Prediction) -> bool:
    """Tell whether trained models answered, old ones too."""
    degraded = prediction["degraded"]
    return degraded is None or degraded == OLD_MODELS


async def _first(url: str, wanted: Callable[[_Prediction], bool]) -> _Prediction:
    """Ask for predictions until there is one that is wanted."""
    answer = await until(f"{url}/predictions", lambda answer: any(map(wanted, answer["predictions"])))
    return next(filter(wanted, answer["predictions"]))


def sentence(prediction: _Prediction) -> str:
    """Say a prediction in words."""
    shortest = prediction["prediction"]
    degraded = f" ({prediction['degraded']})" if prediction["degraded"] else ""
    return (
        f"{prediction['ticker']} at {prediction['current_price']:.2f} on {prediction['timestamp']}: "
        f"{shortest['direction']}, target {shortest['price_target']:.2f}, "
        f"confidence {shortest['confidence']:.2f}{degraded}"
    )
