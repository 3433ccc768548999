"""How accurate the predictions have been: the newest scoreboard of each ticker, and of all."""

from gateway.presentation import safe_integer, time_text
from schemas.codec import UndecodableError
from schemas.events import HorizonScore, ModelScore, Scoreboard
from schemas.symbols import is_ticker

#: The ticker of the board that speaks of all.
ALL = "*"


class ScoresView:
    """The newest scoreboard of each ticker and of all; it never goes back."""

    def __init__(self) -> None:
        self._boards: dict[str, Scoreboard] = {}

    def accept(self, board: Scoreboard) -> None:
        """Take a board that does not know less than its ticker's newest.

        Raises:
            UndecodableError: A value cannot be said at the edge; nothing changed.
        """
        _check(board)
        known = self._boards.get(board.ticker)
        if known is None or board.source_offset >= known.source_offset:
            self._boards[board.ticker] = board

    def get(self, ticker: str = ALL) -> Scoreboard | None:
        """Give the newest board of a ticker, or of all; None where nothing has matured."""
        return self._boards.get(ticker)

    def tickers(self) -> list[str]:
        """Give the tickers that have a board of their own."""
        return sorted(ticker for ticker in self._boards if ticker != ALL)

    @property
    def retrain_asked(self) -> bool:
        """Tell whether the drift of all tickers together asks for a retrain."""
        board = self.get()
        return board is not None and board.drift.get("retrain") == "asked"


def score_of(board: Scoreboard | None, horizon: int) -> HorizonScore | None:
    """Give a board's scores of a horizon."""
    scores = [] if board is None else board.horizons
    return next((score for score in scores if score.horizon == horizon), None)


def _check(board: Scoreboard) -> None:
    if board.ticker != ALL and not is_ticker(board.ticker):
        raise UndecodableError(f"Scoreboard: ticker {board.ticker[:32]!r} is not a symbol")
    for time_ns in (board.through_ns, board.updated_at_ns):
        time_text(time_ns)
    for score in board.horizons:
        safe_integer(score.horizon, "horizon")
        safe_integer(score.settled_dates, "settled_dates")
        for each in (score.ensemble, score.naive, *score.models.values()):
            _check_counts(each)


def _check_counts(score: ModelScore) -> None:
    safe_integer(score.count, "count")
    safe_integer(score.trials, "trials")
