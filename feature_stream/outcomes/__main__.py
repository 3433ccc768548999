"""`python -m feature_stream.outcomes`."""

from feature_stream.outcomes.service import run
from feature_stream.outcomes.settings import OutcomesSettings
from feature_stream.quiet import quieten
from schemas.service import run_service


def _run(settings: OutcomesSettings) -> None:
    quieten(settings.log_level)
    run(settings)


if __name__ == "__main__":
    run_service("outcomes", OutcomesSettings, _run)
