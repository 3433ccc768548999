"""`python -m feature_stream`."""

import logging

from feature_stream.service import run
from feature_stream.settings import FeatureStreamSettings
from schemas.service import run_service


def _run(settings: FeatureStreamSettings) -> None:
    for name in ("faust", "mode", "aiokafka"):
        logging.getLogger(name).setLevel(logging.ERROR if settings.log_level != "debug" else logging.DEBUG)
    run(settings)


if __name__ == "__main__":
    run_service("feature_stream", FeatureStreamSettings, _run)
