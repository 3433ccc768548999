"""Which tickers are shown, in which order, and what a row says. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.client.watch.board import Board
from gateway.client.watch.troubles import shortfall
from gateway.client.watch.words import ARROWS, age, change, percent, plain, price
from schemas.events import OLD_MODELS, Direction, Origin
from schemas.public import PublicHorizon
from schemas.sockets import StreamedPrediction


@dataclass(frozen=True)
class Wish:
    """What the person wants to see.

    Attributes:
        tickers: None: all of them.
        sort: A key of `KEYS`; without one, named tickers are in the order in which they were named.
        horizon: In bars; None, and where a prediction does not have it: its shortest one.
    """

    tickers: tuple[str, ...] = ()
    sort: str | None = None
    horizon: int | None = None


@dataclass(frozen=True)
class Row:
    """The texts of a row.

    Attributes:
        closes: For the small line, oldest first.
        moved: The price has just changed.
        rises: Since the bar opened; None: neither, or not known.
    """

    ticker: str
    price: str
    change: str
    closes: Sequence[float]
    target: str
    expected: str
    direction: Direction
    direction_words: str
    confidence: str
    age: str
    remarks: str
    moved: bool
    rises: bool | None


def said_of(prediction: StreamedPrediction, horizon: int | None) -> PublicHorizon:
    """Give what a prediction says of a horizon."""
    return next((each for each in prediction.horizons if each.horizon == horizon), prediction.prediction)


def since_open(prediction: StreamedPrediction) -> float | None:
    """Give the change of the price since the bar opened, as a share; None where no bar is known."""
    bar = prediction.bar
    return prediction.current_price / bar.open - 1 if bar is not None and bar.open else None


#: What can be sorted by; numbers begin with the largest.
KEYS: dict[str, Callable[[StreamedPrediction, int | None], float]] = {
    "price": lambda prediction, _: prediction.current_price,
    "change": lambda prediction, _: since_open(prediction) or 0.0,
    "target": lambda prediction, horizon: said_of(prediction, horizon).log_return,
    "confidence": lambda prediction, horizon: said_of(prediction, horizon).confidence,
}


def chosen(board: Board, wish: Wish, most: int | None) -> list[StreamedPrediction]:
    """Give the predictions to be shown, in their order; ties are by name.

    Args:
        most: There is room for so many.
    """
    known = [board.latest[ticker] for ticker in wish.tickers or sorted(board.latest) if ticker in board.latest]
    if wish.sort is not None:
        key = KEYS.get(wish.sort)
        known.sort(key=lambda one: (0.0 if key is None else -key(one, wish.horizon), one.ticker))
    return known[:most]


def row_of(board: Board, prediction: StreamedPrediction, wish: Wish, now_ns: int, *, moved: bool) -> Row:
    """Write a row."""
    said, risen = said_of(prediction, wish.horizon), since_open(prediction)
    return Row(
        ticker=plain(prediction.ticker),
        price=price(prediction.current_price),
        change=change(risen),
        closes=board.closes.line(prediction),
        target=price(said.price_target),
        expected=change(said.price_target / prediction.current_price - 1 if prediction.current_price else None),
        direction=said.direction,
        direction_words=f"{ARROWS[said.direction]} {said.direction}",
        confidence=percent(said.confidence),
        age=age(board.seconds_since(prediction.ingested_at, now_ns)),
        remarks=plain(_remarks(prediction, said)),
        moved=moved,
        rises=None if not risen else risen > 0,
    )


def _remarks(prediction: StreamedPrediction, said: PublicHorizon) -> str:
    """Give the signal, and what has to be said beside it."""
    remarks = [
        said.signal,
        shortfall(prediction) and f"degraded: {prediction.degraded}",
        prediction.degraded == OLD_MODELS and "old models",
        prediction.in_sample and "in sample",
        prediction.partial and "ticks were lost",
        prediction.origin is not Origin.NORMAL and prediction.origin.replace("_", " "),
    ]
    return ", ".join(str(remark) for remark in remarks if remark)
