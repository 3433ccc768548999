"""What the training can be told, beside what the predictor is."""

from pathlib import Path

from pydantic import Field

from predictor.settings import PredictorSettings
from schemas.source_settings import REPLAY_START, SOURCE_PATTERN, Tickers, TimeText
from schemas.times import from_rfc3339


class TrainingSettings(PredictorSettings):
    """The source, start and tickers are the ingestor's: what it plays live is not trained on."""

    source: str = Field("replay", pattern=SOURCE_PATTERN)
    tickers: Tickers = ()
    start: TimeText = ""
    training_window_bars: int | None = Field(None, ge=1, description="Dates to fit on, the last ones; empty: all")
    training_parameters: Path | None = Field(None, description="What `predictor search` wrote; empty: the defaults")
    training_seed: int = Field(7, ge=0, lt=2**32, description="Of every random choice of the training")

    @property
    def before_ns(self) -> int | None:
        """Give the first live moment; None: the source's first, so that nothing lies before it."""
        text = self.start or (REPLAY_START if self.source == "replay" else "")
        return from_rfc3339(text) if text else None
