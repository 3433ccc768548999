"""Outcomes of so many dates, picked while a topic of any length goes by. Pure."""

from bisect import bisect_left, insort
from collections.abc import Callable
from sys import intern

from msgspec import structs

from predictor.training.pairs import ENSEMBLE
from schemas.events import MemberHorizon, Outcome

_NOTHING: dict[str, MemberHorizon] = {}


class KeptOutcomes:
    """Outcomes that count, each once (an id has one content), of the last dates or of the first.

    A date is the end of the shortest horizon; of longer ones that is kept which matured on these dates, or beyond them
    on the open side. What falls out of the dates is forgotten, so that memory follows from dates, tickers and horizons,
    some 700 bytes for each (1,100 with a shadow), however many records there are.
    """

    def __init__(self, counts: Callable[[Outcome], bool], shortest: int, dates: int, *, newest: bool) -> None:
        """Keep nothing yet.

        Args:
            counts: Tells whether an outcome counts.
            shortest: Horizon, in bars.
            dates: So many.
            newest: The last ones; else the first.
        """
        self._counts = counts
        self._shortest = shortest
        self._most_dates = dates
        self._newest = newest
        self._dates: list[int] = []  # ascending
        self._by_date: dict[int, dict[str, Outcome]] = {}  # by id
        self._times: dict[int, int] = {}

    def add(self, outcome: Outcome) -> None:
        """Take an outcome; they come in any order."""
        date = outcome.matured_ns
        if self._is_out(date) or not self._counts(outcome):
            return
        seen = self._by_date.setdefault(date, {})
        if outcome.id in seen:
            return
        seen[outcome.id] = self._lean(outcome)
        if outcome.horizon == self._shortest:
            self._add_date(date)

    def in_order(self) -> list[Outcome]:
        """Give them by date, ticker and horizon."""
        kept = [outcome for seen in self._by_date.values() for outcome in seen.values()]
        return sorted(kept, key=lambda outcome: (outcome.matured_ns, outcome.ticker, outcome.horizon))

    def _is_out(self, date: int) -> bool:
        if len(self._dates) < self._most_dates:
            return False
        return date < self._dates[0] if self._newest else date > self._dates[-1]

    def _add_date(self, date: int) -> None:
        place = bisect_left(self._dates, date)
        if self._dates[place : place + 1] == [date]:
            return
        insort(self._dates, date)
        if len(self._dates) > self._most_dates:
            self._dates.pop(0 if self._newest else -1)
        if len(self._dates) == self._most_dates:
            for each in [each for each in self._by_date if self._is_out(each)]:
                del self._by_date[each]

    def _lean(self, outcome: Outcome) -> Outcome:
        """Leave out what no comparison asks, which is most of an outcome, and share what many have in common."""
        return structs.replace(
            outcome,
            ticker=intern(outcome.ticker),
            model_set=intern(outcome.model_set),
            start_ns=self._shared(outcome.start_ns),
            as_of_ns=self._shared(outcome.as_of_ns),
            matured_ns=self._shared(outcome.matured_ns),
            prediction_id="",
            weights_version="",
            intervals_version="",
            models=_NOTHING,
            shadow={ENSEMBLE: outcome.shadow[ENSEMBLE]} if ENSEMBLE in outcome.shadow else _NOTHING,
        )

    def _shared(self, time_ns: int) -> int:
        return self._times.setdefault(time_ns, time_ns)
