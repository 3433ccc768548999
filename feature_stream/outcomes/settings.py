"""Settings of the service that settles predictions."""

from pydantic import Field

from feature_stream.scores.settings import ScoreSettings
from feature_stream.settings import WorkerSettings


class OutcomesSettings(WorkerSettings, ScoreSettings):
    """What it adds to those of every worker and of the scorekeeper: a port of its own."""

    metrics_port: int = Field(9106, ge=0, le=65_535)
