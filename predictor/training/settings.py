"""What the training can be told, beside what the predictor is."""

import time
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from predictor.settings import PredictorSettings
from predictor.training.schedule import is_schedule
from schemas.source_settings import REPLAY_START, SourceText, Tickers, TimeText, live_names
from schemas.times import from_rfc3339

#: Of a file that is played from its first row.
NO_PAST = "all that the source has is played live, so none is left to train on"
#: What switches the mirror off.
NO_MIRROR = "none"


def _tracking_uri(text: str) -> str:
    if text and text != NO_MIRROR and not text.startswith(("sqlite:///", "http://", "https://")):
        raise ValueError("give a server like http://mlflow:5000, a file like sqlite:///var/mlflow/mlflow.db, or none")
    return text


def _web_address(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if text and not text.startswith(("http://", "https://")):
        raise ValueError("give an address that begins with https:// or http://")
    return secret


class TrainingSettings(PredictorSettings):
    """The source, start and tickers are the ingestor's: what it plays live is not trained on."""

    metrics_port: int = Field(9104, ge=0, le=65_535, description="Of the trainer; 0: a free one")
    source: SourceText = "replay"
    tickers: Tickers = ()
    start: TimeText = ""
    training_window_bars: int | None = Field(None, ge=1, description="Dates to fit on, the last ones; empty: all")
    training_parameters: Path | None = Field(None, description="What `predictor search` wrote; empty: the defaults")
    training_seed: int = Field(7, ge=0, lt=2**32, description="Of every random choice of the training")

    mlflow_tracking_uri: Annotated[str, AfterValidator(_tracking_uri)] = ""
    mlflow_model_name: str = Field("tickcast", pattern=r"^[A-Za-z0-9._-]{1,64}$", description="After the topic prefix")
    training_schedule: Annotated[str, AfterValidator(is_schedule)] = ""
    training_every_bars: int | None = Field(None, ge=1, description="Bars after the end of the last training")
    drift_pause_bars: int = Field(60, ge=1, description="An alarm that lasts asks again after so many bars")
    webhook_url: Annotated[SecretStr, AfterValidator(_web_address)] = SecretStr("")
    webhook_secret: SecretStr = Field(SecretStr(""), description="Signs what is sent there")

    @property
    def before_ns(self) -> int | None:
        """Give the first live moment; None: the source's first, so that nothing lies before it.

        A live market's is now: what it played before is past, too.
        """
        if live_names(self.source):
            return time.time_ns()
        text = self.start or (REPLAY_START if self.source == "replay" else "")
        return from_rfc3339(text) if text else None
