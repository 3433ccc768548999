"""`python -m deploy.healthcheck`: is the service of this container healthy? Exit code 0 or 1, for Docker."""

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping

_ANSWER_WITHIN_SECONDS = 4


def health_url(environment: Mapping[str, str]) -> str:
    """Give the address to ask: a service's metrics port where one is set, else the gateway's port."""
    port = environment.get("TICKCAST_METRICS_PORT") or environment.get("TICKCAST_GATEWAY_PORT") or "8000"
    return f"http://127.0.0.1:{port}/health"


def healthy(url: str) -> bool:
    """Tell whether the address answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=_ANSWER_WITHIN_SECONDS) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    sys.exit(0 if healthy(health_url(os.environ)) else 1)
