"""The prior weights of the members of the set that serves, as outcomes tell them."""

from dataclasses import dataclass

from schemas.events import Outcome

#: The newest date, and the one before, which is complete where the newest is not yet.
_DATES = 2


@dataclass(slots=True)
class _Answered:
    """How many tickers a set has answered on a date, the last one of them, and the prior weights of its members."""

    ticker: str
    priors: dict[str, float]
    count: int = 1


class Priors:
    """What the sets that answered the newest two dates weighed their members with."""

    def __init__(self) -> None:
        self._dates: dict[int, dict[str, _Answered]] = {}

    def take(self, outcome: Outcome) -> None:
        """Take an outcome, each once.

        A member that speaks alone needs no weighing: it may be the statistical forecaster, in the place of all.
        """
        priors = {name: member.prior_weight or 0.0 for name, member in outcome.models.items()}
        if sum(prior > 0 for prior in priors.values()) < 2:
            return
        sets = self._dates.setdefault(outcome.matured_ns, {})
        known = sets.get(outcome.model_set)
        if known is None:
            sets[outcome.model_set] = _Answered(outcome.ticker, priors)
        else:
            known.count += 1
            if outcome.ticker > known.ticker:
                known.ticker, known.priors = outcome.ticker, priors
        if len(self._dates) > _DATES:
            del self._dates[min(self._dates)]

    def newest(self, since_ns: int) -> dict[str, float]:
        """Give those of the set that answered most tickers of the newest date; ties go by name.

        Dates before a time are forgotten, as they are by who has not read so far back.

        While two sets share the tickers, the one with the smaller share must not weigh the other's members. Its tickers
        may be the first of a date to mature: until as many have as on the date before, that one tells.
        """
        dates = [self._dates[date_ns] for date_ns in sorted(self._dates, reverse=True) if date_ns >= since_ns]
        sets = max(dates, key=_count, default={})  # the first of equals: the newest
        most = max(sets.items(), key=lambda item: (item[1].count, item[0]), default=None)
        return {} if most is None else most[1].priors


def _count(sets: dict[str, _Answered]) -> int:
    return sum(each.count for each in sets.values())
