"""Show the first prediction to whoever started the system, and say when the models answer."""

from typing import Any

from deploy.log_lines import Log
from deploy.readiness import until

_HELLO = """open {url}/ in a browser, or ask: curl {url}/predict/{ticker}"""


async def greet(url: str, log: Log) -> None:
    """Print the first prediction, and one line once a trained model is behind one."""
    first = (await until(f"{url}/predictions", lambda answer: bool(predictions(answer))))["predictions"][0]
    log.say(f"first prediction: {sentence(first)}")
    log.say(_HELLO.format(url=url, ticker=first["ticker"]))
    if first["degraded"] is None:
        return
    answer = await until(f"{url}/predictions", lambda answer: any(p["degraded"] is None for p in predictions(answer)))
    trained = next(p for p in predictions(answer) if p["degraded"] is None)
    log.say(f"the models answer now: {sentence(trained)}")


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
