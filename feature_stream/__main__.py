"""`python -m feature_stream`."""

from feature_stream.quiet import quieten
from feature_stream.service import run
from feature_stream.settings import FeatureStreamSettings
from schemas.service import run_service


def _run(settings: FeatureStreamSettings) -> None:
    quieten(settings.log_level)
    run(settings)


if __name__ == "__main__":
    run_service("feature_stream", FeatureStreamSettings, _run)
