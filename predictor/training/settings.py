"""What the training can be told, beside what the predictor is."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import NoDecode

from predictor.settings import PredictorSettings
from schemas.settings import split_list
from schemas.symbols import normalise_ticker
from schemas.times import from_rfc3339

#: The first live day of `replay`; what lies before it is for training.
REPLAY_START = "2010-01-04"


def _symbols(tickers: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({normalise_ticker(text) for text in tickers}))


def _time_text(text: str) -> str:
    try:
        from_rfc3339(text or REPLAY_START)
    except ValueError as error:
        raise ValueError("give a date like 2010-01-04 or a time like 2010-01-04T14:30:00Z") from error
    return text


class TrainingSettings(PredictorSettings):
    """The source, start and tickers are the ingestor's: what it plays live is not trained on."""

    source: str = Field("replay", pattern=r"^(replay|simulated|file:.+)$")
    tickers: Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_list), AfterValidator(_symbols)] = ()
    start: Annotated[str, AfterValidator(_time_text)] = ""
    training_window_bars: int | None = Field(None, ge=1, description="Dates to fit on, the last ones; empty: all")
    training_seed: int = Field(7, ge=0, lt=2**32, description="Of every random choice of the training")

    @property
    def before_ns(self) -> int | None:
        """Give the first live moment; None: the source's first, so that nothing lies before it."""
        text = self.start or (REPLAY_START if self.source == "replay" else "")
        return from_rfc3339(text) if text else None
