"""Settings of the scorekeeper."""

from pydantic import Field

from schemas.settings import Settings


class ScoreSettings(Settings):
    """What the scorekeeper adds to the shared settings."""

    score_replay_records: int = Field(
        2_000_000,
        ge=1,
        description="Of each partition of `outcomes` a start reads at most so many again: 2,000 bars are enough",
    )
