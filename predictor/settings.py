"""The predictor's settings."""

from pathlib import Path

from pydantic import Field

from schemas.identity import USUAL_SIGNAL_SHARE
from schemas.settings import Settings


class PredictorSettings(Settings):
    """What the predictor needs beside what all share."""

    metrics_port: int = Field(9103, ge=0, le=65_535, description="0: a free one")
    models_directory: Path = Field(Path("var/models"), description="Where model sets lie, a folder each")
    artifact_store: str = Field(
        "", description="Keeps the files of model sets: a folder, s3:// or https://; empty: in models_directory"
    )
    predictor_group: str = Field("predictor", pattern=r"^[A-Za-z0-9._-]{1,64}$", description="Consumer group")
    predictor_batch_records: int = Field(500, ge=1, le=10_000, description="Feature events in one model call, at most")

    signal_share: float = Field(
        USUAL_SIGNAL_SHARE, ge=0, le=10, description="Of a horizon's volatility: the return beyond it is BUY or SELL"
    )
    shadow_budget_ms: float = Field(
        50.0, gt=0, le=60_000, description="Time of the challenger in each batch; one that takes longer rests for some"
    )
    model_max_age_bars: int = Field(
        504, ge=0, description="Bars since `train_end` after which a set is stale: two years of daily ones; 0: never"
    )
    refuse_stale_models: bool = Field(False, description="The statistical forecaster answers in its place")

    @property
    def consumer_group(self) -> str:
        """Give the group with the deployment's prefix before it, so that deployments share a cluster."""
        return self.topic_prefix + self.predictor_group
