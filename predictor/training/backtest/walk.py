"""The predictor, the settlement and the scorekeeper of the live system, without a broker between them."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from feature_stream.ledger import SettleRules, TickerLedger
from feature_stream.scores.state import ScoreKeeper
from feature_stream.settle import take_bar, take_prediction
from predictor.artifacts import ModelSet
from predictor.predict import predict
from predictor.scoring_boards import ScoringBoards
from predictor.training.backtest.dates import Date
from schemas.events import Bar, Features, Outcome, Prediction
from schemas.identity import USUAL_SIGNAL_SHARE
from schemas.times import Interval

_log = logging.getLogger(__name__)

#: Gives the set that serves as of a time.
SetAt = Callable[[int], ModelSet | None]


@dataclass(frozen=True, slots=True)
class WalkRules:
    """What the live services are told by their settings."""

    interval: Interval
    horizons: tuple[int, ...]
    signal_share: float = USUAL_SIGNAL_SHARE


class Desk:
    """What the live system knows after so many dates."""

    def __init__(self, rules: WalkRules) -> None:
        self._rules = rules
        self._settle_rules = SettleRules(rules.interval, max(rules.horizons))
        self._keeper = ScoreKeeper(rules.interval)
        self._boards = ScoringBoards(rules.interval, rules.horizons)
        self._ledgers: dict[str, TickerLedger] = {}
        self._failing: set[str] = set()

    def take(self, date: Date, model_set: ModelSet | None) -> list[Outcome]:
        """Settle what is due at a date, and predict from it; give the outcomes.

        The boards that know of this date's closes come after its predictions, as live: a prediction is made as soon as
        its features are there, and the board of the same close takes a little longer.
        """
        outcomes = [outcome for closed in date.closed for outcome in self._take_bar(closed.bar)]
        features = [closed.features for closed in date.closed]
        for prediction in self._predictions(features, model_set, date.end_ns):
            outcomes += self._take_prediction(prediction)
        self._publish(self._keeper.add(outcomes), date.end_ns)
        return outcomes

    def _take_bar(self, bar: Bar) -> list[Outcome]:
        ledger = self._ledgers.setdefault(bar.ticker, TickerLedger(bar.ticker, 0))
        return take_bar(ledger, bar, ledger.bars_offset + 1, self._settle_rules, bar.end_ns).outcomes

    def _take_prediction(self, prediction: Prediction) -> list[Outcome]:
        ledger, now_ns = self._ledgers[prediction.ticker], prediction.as_of_ns
        return take_prediction(ledger, prediction, ledger.predictions_offset + 1, self._settle_rules, now_ns).outcomes

    def _predictions(self, features: list[Features], model_set: ModelSet | None, now_ns: int) -> list[Prediction]:
        rules = self._rules
        predicted = predict(features, model_set, rules.horizons, now_ns, self._boards, rules.signal_share)
        for name in predicted.failures.keys() - self._failing:
            _log.warning("member %s fails: %s", name, predicted.failures[name])
        self._failing = set(predicted.failures)
        return predicted.predictions

    def _publish(self, changed: set[str], now_ns: int) -> None:
        """Hand the boards back to the predictor."""
        boards = [self._keeper.board(ticker, now_ns) for ticker in sorted(changed)]
        if changed:
            boards.append(self._keeper.pooled_board(now_ns))
        for board in boards:
            if (problem := self._boards.add(board)) is not None:  # live, the predictor would say this and go on
                _log.warning("passed over a board of %s: %s", board.ticker, problem)


def walk(
    dates: Iterable[Date], set_at: SetAt, rules: WalkRules, passed: Callable[[int], None] = lambda _: None
) -> Iterator[Outcome]:
    """Walk through dates, and give the outcomes as they mature.

    Args:
        dates: Ascending.
        set_at: Is asked once a date, before its predictions.
        passed: Is told the end of each date that is done.
    """
    desk = Desk(rules)
    for date in dates:
        yield from desk.take(date, set_at(date.end_ns))
        passed(date.end_ns)
