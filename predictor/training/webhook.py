"""Tell a web address what happened. A failure is said, without the address, and nothing waits for it long."""

import hashlib
import hmac
import logging
import threading
import time
import urllib.error
import urllib.request

from predictor.training.settings import TrainingSettings
from schemas.codec import encode, event_headers
from schemas.events import ModelCommand, ModelEvent

ANSWER_SECONDS = 3.0
#: `sha256=` and the HMAC of the body in hexadecimal, as GitHub signs.
SIGNATURE_HEADER = "X-Tickcast-Signature-256"
_log = logging.getLogger(__name__)


def tell(settings: TrainingSettings, event: ModelEvent | ModelCommand) -> None:
    """Post an event as JSON, where an address is set; return after three seconds at the latest.

    The headers are those of CloudEvents in HTTP's binary mode: `ce-type`, `ce-id` and so on. Who is told twice knows it
    by the id.
    """
    url = settings.webhook_url.get_secret_value()
    if not url:
        return
    troubles: list[str] = []
    sender = threading.Thread(target=lambda: troubles.append(_post(url, settings, event)), name="webhook", daemon=True)
    sender.start()  # a thread: looking up a name, or an answer byte by byte, has no other bound
    sender.join(ANSWER_SECONDS)
    trouble = troubles[0] if troubles else f"no answer within {ANSWER_SECONDS:g} s"
    if trouble:
        _log.warning("the webhook was not told of %s %s: %s", type(event).__name__, event.id, trouble)


def signature(secret: str, body: bytes) -> str:
    """Sign a body; whoever has the secret makes the same and compares."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _request(url: str, settings: TrainingSettings, event: ModelEvent | ModelCommand) -> urllib.request.Request:
    body = encode(event)
    source = f"trainer/{settings.instance}"
    headers = event_headers(type(event).__name__, source, event.id, time.time_ns())
    named = {name.replace("_", "-"): value.decode() for name, value in headers}
    secret = settings.webhook_secret.get_secret_value()
    if secret:
        named[SIGNATURE_HEADER] = signature(secret, body)
    return urllib.request.Request(url, body, named, method="POST")  # noqa: S310 - the settings take http and https only


def _post(url: str, settings: TrainingSettings, event: ModelEvent | ModelCommand) -> str:
    """Send it; give what went wrong, in words that show nothing of the address."""
    try:
        request = _request(url, settings, event)
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=ANSWER_SECONDS):
            return ""
    except urllib.error.HTTPError as error:
        error.close()
        return f"it answered {error.code}"
    except Exception as error:  # an address that is none included: what is told here must stop nobody
        cause = getattr(error, "reason", error)  # of an address that cannot be reached
        return type(cause if isinstance(cause, Exception) else error).__name__


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is told is for the address that was set, and for no other."""

    def redirect_request(self, *_: object) -> None:
        return None
