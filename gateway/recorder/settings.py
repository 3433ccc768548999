"""Settings of the recorder."""

from pydantic import Field

from gateway.database.settings import DatabaseSettings


class RecorderSettings(DatabaseSettings):
    """How it writes, and for how long what it wrote is kept."""

    recorder_batch_records: int = Field(2_000, ge=1, le=100_000, description="Records in one transaction, at most")
    prediction_retention_days: int = Field(
        90, ge=0, description="Predictions and indicators are deleted so long after they were written; 0: never"
    )
