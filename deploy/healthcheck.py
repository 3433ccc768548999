"""`python -m deploy.healthcheck`: is the service of this container healthy? Exit code 0 or 1, for Docker."""

import os
import sys
import urllib.request
from collections.abc import Mapping

from deploy.addresses import own_server_context, url_of

_ANSWER_WITHIN_SECONDS = 4


def health_url(environment: Mapping[str, str]) -> str:
    """Give the address to ask: a service's metrics port where one is set, else the gateway's port."""
    server = "METRICS" if environment.get("TICKCAST_METRICS_PORT") else "GATEWAY"
    host, port = environment.get(f"TICKCAST_{server}_HOST", ""), environment.get(f"TICKCAST_{server}_PORT") or "8000"
    https = server == "GATEWAY" and bool(environment.get("TICKCAST_TLS_CERTIFICATE_FILE"))
    return f"{url_of(host, port, https=https)}/health"


def healthy(url: str) -> bool:
    """Tell whether the address answers 200, without any proxy: it is our own."""
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=own_server_context())
    )
    try:
        with opener.open(url, timeout=_ANSWER_WITHIN_SECONDS) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(0 if healthy(health_url(os.environ)) else 1)
