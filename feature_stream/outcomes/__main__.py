"""`python -m feature_stream.outcomes`."""

from collections.abc import Callable, Sequence

from feature_stream.outcomes.service import run
from feature_stream.outcomes.settings import OutcomesSettings
from feature_stream.outcomes.tenancy import Tenant
from feature_stream.quiet import quieten
from feature_stream.scorekeeper import Scorekeeper
from schemas.service import run_service


def _run(settings: OutcomesSettings) -> None:
    quieten(settings.log_level)
    run(settings, _tenants)


def _tenants(settings: OutcomesSettings, on_failure: Callable[[BaseException], None]) -> Sequence[Tenant]:
    return [Scorekeeper(settings, on_failure=on_failure)]


if __name__ == "__main__":
    run_service("outcomes", OutcomesSettings, _run)
