"""Dead letters made by hand."""

from ingestor.dead_letters.letter import Letter, read_letter
from schemas.dead_letters import DeadLetter
from schemas.events import Origin, TickFrame

#: Ticker, event time, price, size.
TickTuple = tuple[str, int, float, float]


def tick_frame(
    *ticks: TickTuple, source: str = "market", sequence: int = 0, origin: Origin = Origin.NORMAL
) -> TickFrame:
    return TickFrame(
        source=source,
        sequence=sequence,
        position=str(sequence),
        tickers=[tick[0] for tick in ticks],
        times_ns=[tick[1] for tick in ticks],
        prices=[tick[2] for tick in ticks],
        sizes=[tick[3] for tick in ticks],
        ingested_at_ns=1,
        origin=origin,
    )


def letter_of(written: DeadLetter, *, at_ns: int = 0) -> Letter:
    return read_letter(written.headers(), written.key, written.value, (0, 0), at_ns)
