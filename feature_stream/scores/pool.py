"""All tickers at one horizon: sums by date, their scores, and the weights that members have earned."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from feature_stream.calibration import WEIGHT_DATES, MemberErrors, adapted_weights
from feature_stream.scores.columns import (
    COLUMNS,
    ENSEMBLE_ROW,
    FIRST_MEMBER_ROW,
    UNCHANGED_ROW,
    FloatArray,
    OfModel,
    from_whole,
    to_whole,
)
from feature_stream.scores.horizons import horizon_score, score_alone
from feature_stream.scores.shadow import Word, shadow_contributions, shadow_of
from feature_stream.scores.sums import contributions
from feature_stream.scores.window import Window
from schemas.events import HorizonScore, ModelScore, Outcome


@dataclass(slots=True)
class _Answered:
    """How many tickers a set has answered on a date, the last one of them, and the prior weights of its members."""

    ticker: str
    priors: dict[str, float]
    count: int = 1


class Pool:
    """The newest dates, and the prior weights of the newest one.

    Attributes:
        places: Of the members' names in rows; a name that came once stays.
        beside: Likewise of the sets that were shown beside those that answered.
    """

    def __init__(self, horizon: int, dates: int) -> None:
        self.horizon = horizon
        self.places: dict[str, int] = {}
        self.beside: dict[str, int] = {}
        self._sums = Window(dates, (FIRST_MEMBER_ROW, COLUMNS), np.int64)
        self._shadow_sums = Window(dates, (0, COLUMNS), np.int64)
        self._newest_ns = -1
        self._answered: dict[str, _Answered] = {}

    def know(self, outcomes: Sequence[Outcome]) -> None:
        """Give every member a place, and every set that was shown."""
        for outcome in outcomes:
            for name in outcome.models:
                self.places.setdefault(name, len(self.places))
            if (shown := shadow_of(outcome)) is not None:
                self.beside.setdefault(shown, len(self.beside))

    def add(self, outcomes: Sequence[Outcome], known: FloatArray, members: FloatArray, words: FloatArray) -> None:
        """Add outcomes to the sums of their dates, each once.

        Args:
            known: (outcomes, `Known`).
            members: (outcomes, members, 2).
            words: (outcomes, `Word`).
        """
        self._sums.widen(FIRST_MEMBER_ROW + len(self.places))
        added = to_whole(contributions(known, members))
        for outcome, row in zip(outcomes, added, strict=True):
            there = self._sums.row_of(outcome.matured_ns)
            if there is None:
                self._sums.add(outcome.matured_ns, row)
            else:
                there += row
            self._take_priors(outcome)
        self._add_shadows(outcomes, known, words)

    def _add_shadows(self, outcomes: Sequence[Outcome], known: FloatArray, words: FloatArray) -> None:
        """Add what the sets beside said to the dates of the outcomes, which are those of the other sums."""
        self._shadow_sums.widen(len(self.beside))
        nothing = np.zeros((len(self.beside), COLUMNS), np.int64)
        for matured_ns in dict.fromkeys(outcome.matured_ns for outcome in outcomes):
            self._shadow_sums.add(matured_ns, nothing)
        (said,) = np.nonzero(np.isfinite(words[:, Word.SET]))
        added = to_whole(shadow_contributions(known[said], words[said]))
        for place, row in zip(said.tolist(), added, strict=True):
            there = self._shadow_sums.row_of(outcomes[place].matured_ns)
            if there is not None:
                there[int(words[place, Word.SET])] += row

    def _take_priors(self, outcome: Outcome) -> None:
        """Keep the prior weights of the sets that answered the newest date; those of the set that answered most count.

        While two sets share the tickers, the one with the smaller share must not weigh the other's members. A member
        that speaks alone needs no weighing: it may be the statistical forecaster, in the place of all.
        """
        priors = {name: member.prior_weight or 0.0 for name, member in outcome.models.items()}
        if outcome.start_ns < self._newest_ns or sum(prior > 0 for prior in priors.values()) < 2:
            return
        if outcome.start_ns > self._newest_ns:
            self._newest_ns, self._answered = outcome.start_ns, {}
        known = self._answered.get(outcome.model_set)
        if known is None:
            self._answered[outcome.model_set] = _Answered(outcome.ticker, priors)
        else:
            known.count += 1
            if outcome.ticker > known.ticker:
                known.ticker, known.priors = outcome.ticker, priors

    def _priors(self) -> dict[str, float]:
        most = max(self._answered.items(), key=lambda item: (item[1].count, item[0]), default=None)
        return {} if most is None else most[1].priors

    def score(self, dates: int) -> HorizonScore:
        """Score the newest dates, with the weights that follow from them."""
        names = list(self.places)
        sums = from_whole(self._sums.rows[-dates:])
        errors = _member_errors(sums[-WEIGHT_DATES:], names)
        weights = adapted_weights(self._priors(), errors)
        return replace(horizon_score(sums, names, self.horizon), weights=weights, shadow=self._shadow(dates))

    def _shadow(self, dates: int) -> dict[str, ModelScore]:
        """Score the sets that were shown, each on the dates on which it was."""
        sums, found = from_whole(self._shadow_sums.rows[-dates:]), {}
        for name, place in sorted(self.beside.items()):
            its = sums[sums[:, place, OfModel.COUNT] > 0, place]
            if len(its):
                found[name] = score_alone(its, self.horizon)
        return found

    def losses(self) -> tuple[FloatArray, FloatArray]:
        """Give, of each kept date, the ensemble's mean squared error, and how much more it is than that of no change.

        Returns:
            (dates,) in log return; and in units of the volatility over the horizon, (dates with a volatility,).
        """
        sums = from_whole(self._sums.rows[:, ENSEMBLE_ROW : UNCHANGED_ROW + 1])
        squares = sums[:, 0, OfModel.SQUARE] / sums[:, 0, OfModel.COUNT]
        measured = sums[sums[:, 0, OfModel.SCALED_COUNT] > 0]
        scaled = measured[:, :, OfModel.SCALED_SQUARE] / measured[:, :, OfModel.SCALED_COUNT]
        return squares, scaled[:, 0] - scaled[:, 1]


def _member_errors(sums: FloatArray, names: Sequence[str]) -> dict[str, MemberErrors]:
    errors = {}
    for row, name in enumerate(names, FIRST_MEMBER_ROW):
        counts = sums[:, row, OfModel.SCALED_COUNT]
        count = counts.sum()
        if count > 0:
            squares = sums[:, row, OfModel.SCALED_SQUARE].sum() / count
            unchanged = sums[:, row, OfModel.SCALED_UNCHANGED].sum() / count
            errors[name] = MemberErrors(int((counts > 0).sum()), float(squares), float(unchanged))
    return errors
