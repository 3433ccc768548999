"""Sums by date of the sets that were shown beside those that answered."""

from collections.abc import Iterable, Sequence

import numpy as np

from feature_stream.scores.columns import COLUMNS, FloatArray, OfModel, from_whole, to_whole
from feature_stream.scores.horizons import score_alone
from feature_stream.scores.shadow import Word, shadow_contributions
from feature_stream.scores.window import Window
from schemas.events import ModelScore


class ShadowSums:
    """The newest dates. A set has a column from when it is first shown until after its last date has left.

    Attributes:
        shown: Places of the sets that have a column, in the order of the columns.
    """

    def __init__(self, horizon: int, dates: int) -> None:
        self.shown: list[int] = []
        self._horizon = horizon
        self._sums = Window(dates, (0, COLUMNS), np.int64)

    def add(self, matured_ns: Sequence[int], known: FloatArray, words: FloatArray) -> None:
        """Add what was said beside outcomes to their dates.

        Args:
            matured_ns: (outcomes,) their dates; one without a word is a date all the same.
            known: (outcomes, `Known`).
            words: (outcomes, `Word`).
        """
        (said,) = np.nonzero(np.isfinite(words[:, Word.SET]))
        self._give_columns(words[said, Word.SET].astype(int).tolist())
        nothing = np.zeros((len(self.shown), COLUMNS), np.int64)
        for date_ns in dict.fromkeys(matured_ns):
            self._sums.add(date_ns, nothing)
        added = to_whole(shadow_contributions(known[said], words[said]))
        for outcome, row in zip(said.tolist(), added, strict=True):
            there = self._sums.row_of(matured_ns[outcome])
            if there is not None:
                there[self.shown.index(int(words[outcome, Word.SET]))] += row

    def _give_columns(self, places: Iterable[int]) -> None:
        """Give every set a column; where one is new, those whose dates have left lose theirs."""
        fresh = sorted(set(places) - set(self.shown))
        if not fresh:
            return
        counts = self._sums.rows[:, :, OfModel.COUNT].sum(axis=0)
        kept = np.flatnonzero(counts).tolist()
        self._sums.keep(kept)
        self.shown = [self.shown[column] for column in kept] + fresh
        self._sums.widen(len(self.shown))

    def scores(self, names: Sequence[str], dates: int) -> dict[str, ModelScore]:
        """Score the sets on the newest dates, each on those on which it was shown.

        Args:
            names: Of the sets, in their places.
            dates: So many.
        """
        sums, found = from_whole(self._sums.rows[-dates:]), {}
        for name, column in sorted((names[place], column) for column, place in enumerate(self.shown)):
            its = sums[sums[:, column, OfModel.COUNT] > 0, column]
            if len(its):
                found[name] = score_alone(its, self._horizon)
        return found
