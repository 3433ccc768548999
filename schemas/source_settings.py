"""Settings that the ingestor, the training and `tickcast run` must read alike: what is played, and from when."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

from schemas.settings import split_list
from schemas.symbols import normalise_ticker
from schemas.times import from_rfc3339

#: The first live day of `replay`; what lies before it is for training.
REPLAY_START = "2010-01-04"

#: Live markets: each is a module of `ingestor.sources.providers` with that name.
LIVE_SOURCES: tuple[str, ...] = (
    "alpaca",
    "alphavantage",
    "finnhub",
    "polygon",
    "yahoo",
)

#: What a source may be called, for people.
SOURCE_WORDS = f"replay, simulated, file:PATH, or live markets in the order of preference: {','.join(LIVE_SOURCES)}"


def live_names(source: str) -> tuple[str, ...]:
    """Give the live markets that a source's text names, the preferred one first; none for other sources."""
    names = tuple(source.split(","))
    return names if set(names) <= set(LIVE_SOURCES) else ()


def _known_source(text: str) -> str:
    """Give a source's text without spaces around its names."""
    text = text.strip()
    if text in {"replay", "simulated"} or (text.startswith("file:") and text != "file:"):
        return text
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in LIVE_SOURCES]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is none: give {SOURCE_WORDS}")
    if len(set(names)) < len(names):
        raise ValueError("a live market is named twice: name each once")
    return ",".join(names)


def _symbols(tickers: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({normalise_ticker(text) for text in tickers}))


def _time_text(value: Any) -> Any:
    text = str(value).strip()
    try:
        from_rfc3339(text or REPLAY_START)
    except ValueError as error:
        raise ValueError("give a date like 2010-01-04 or a time like 2010-01-04T14:30:00Z") from error
    return text


#: A source: `SOURCE_WORDS`.
SourceText = Annotated[str, AfterValidator(_known_source)]
#: A comma list of symbols, sorted, each once; empty: all of the source's.
Tickers = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_list), AfterValidator(_symbols)]
#: A date or a time; empty: the source's own.
TimeText = Annotated[str, BeforeValidator(_time_text)]
