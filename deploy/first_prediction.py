"""Show the first prediction to whoever started the system, and say when the models answer."""

from typing import Any

from deploy.log_lines import Log
from deploy.readiness import until, until_ready


async def greet(url: str, log: Log) -> None:
    """Print the address, the first prediction, and one line once trained models are behind one."""
    await until_ready(f"{url}/health")
    log.say(f"open {url}/ in a browser; {url}/docs says what else there is")
    first = predictions(await until(f"{url}/predictions", lambda answer: bool(predictions(answer))))[0]
    log.say(f"first prediction: {sentence(first)}")
    log.say(f"ask for it: curl {url}/predict/{first['ticker']}")
    if first["degraded"] is not None:
        answer = await until(f"{url}/predictions", lambda answer: bool(_trained(answer)))
        log.say(f"the models answer now: {sentence(_trained(answer)[0])}")


def _trained(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return [prediction for prediction in predictions(answer) if prediction["degraded"] is None]


def predictions(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the predictions of an answer of `/predictions`."""
    found: list[dict[str, Any]] = answer["predictions"]
    return found


def sentence(prediction: dict[str, Any]) -> str:
    """Say a prediction in words."""
    shortest = prediction["prediction"]
    degraded = f" ({prediction['degraded']})" if prediction["degraded"] else ""
    return (
        f"{prediction['ticker']} at {prediction['current_price']:.2f} on {prediction['timestamp']}: "
        f"{shortest['direction']}, target {shortest['price_target']:.2f}, "
        f"confidence {shortest['confidence']:.2f}{degraded}"
    )
