"""`var/prometheus-targets.json`: where Prometheus finds the /metrics of the system that runs here (file_sd)."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from deploy.system_parts import Place
from schemas.whole_file import write_whole

SCRAPE_TARGETS = "prometheus-targets.json"


def scrape_targets(place: Place) -> list[dict[str, Any]]:
    """Give an entry for each service; the gateway's /metrics are on its own port, and maybe over HTTPS."""
    services = {name: place.health_url(name) for name in place.metrics_ports}
    return [_target(service, url) for service, url in {**services, "gateway": place.url}.items()]


def _target(service: str, url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    return {"targets": [parts.netloc], "labels": {"service": service, "__scheme__": parts.scheme}}


def write_scrape_targets(var: Path, place: Place) -> None:
    """Say where they are."""
    write_whole(var / SCRAPE_TARGETS, json.dumps(scrape_targets(place)).encode())


def remove_scrape_targets(var: Path) -> None:
    """Say that they are gone: who watches a system that was told to stop need not worry."""
    (var / SCRAPE_TARGETS).unlink(missing_ok=True)
