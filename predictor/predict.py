"""Feature events to predictions: one call of each model for all of them, no I/O, no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from predictor.artifacts import ModelSet
from predictor.assembly import assemble
from predictor.batch import statistical_batch, travelled
from predictor.degraded import NO_MEMBER_ANSWERED, STALE_REFUSED, UNTRAINED
from predictor.ensemble import ask_statistical, combine
from predictor.group import Group, Naming, Versions
from predictor.intervals import normal_half_widths
from predictor.members import Answered, by_members, naming_of
from predictor.models.base import scales
from predictor.models.statistical import StatisticalForecaster
from predictor.question import Question
from predictor.scoring_boards import PRIOR, ScoringBoards
from schemas.events import Features, Prediction
from schemas.identity import USUAL_SIGNAL_SHARE


@dataclass(frozen=True, slots=True)
class Predicted:
    """One prediction for every event, in their order; and why members failed, by name.

    Attributes:
        by_members: Places of the events that members of the set have answered.
    """

    predictions: list[Prediction]
    failures: dict[str, str] = field(default_factory=dict)
    by_members: frozenset[int] = frozenset()


def normal_intervals(horizons: tuple[int, ...]) -> str:
    """Name the version of normal intervals, like `normal2-1.5.21`: the second definition of their spread.

    A model set is made for its horizons. The statistical forecaster answers for any, so its ids must tell them.
    """
    return f"normal2-{'.'.join(map(str, horizons))}"


def predict(
    events: Sequence[Features],
    model_set: ModelSet | None,
    horizons: tuple[int, ...],
    now_ns: int,
    boards: ScoringBoards | None = None,
    signal_share: float = USUAL_SIGNAL_SHARE,
) -> Predicted:
    """Predict every event as `answer` does, by sets that never get old."""
    return answer(Question(events, horizons, now_ns, boards, signal_share), model_set)


def answer(question: Question, model_set: ModelSet | None) -> Predicted:
    """Predict every event: by the set's members where they can, else by the statistical forecaster.

    What the models cannot read (`predictor.degraded`) does not depend on the set, nor does its answer.
    """
    unreadable, said = dict(question.unreadable), Answered()
    made: dict[int, Prediction] = {}
    if model_set is None:
        unreadable |= dict.fromkeys(question.places, UNTRAINED)
    elif question.places:
        said = by_members(question, model_set)
        made |= said.made
        made |= _by_statistics(question, _unanswered(question, said), naming_of(model_set.manifest))
    made |= _by_statistics(question, unreadable, Naming(StatisticalForecaster.name, train_end_ns=None))
    return Predicted([made[place] for place in range(len(question.events))], said.failures, frozenset(said.made))


def _unanswered(question: Question, said: Answered) -> dict[int, str]:
    """Give the reasons of the events that the set has not answered, by their place."""
    return {
        place: STALE_REFUSED if place in said.refused else NO_MEMBER_ANSWERED
        for place in question.places
        if place not in said.made
    }


def _by_statistics(question: Question, reasons: Mapping[int, str], naming: Naming) -> dict[int, Prediction]:
    """Let the statistical forecaster answer events (by their place), and say why."""
    if not reasons:
        return {}
    places, horizons = sorted(reasons), question.horizons
    rows = [question.events[place] for place in places]
    batch = statistical_batch(rows)
    its = ask_statistical(StatisticalForecaster(horizons), batch)
    group = Group(
        rows=rows,
        ensemble=combine([its], travelled(rows)),
        half_widths=normal_half_widths(its.spreads),
        volatility=scales(batch.volatility, horizons),
        degraded=[reasons[place] for place in places],
        versions=[Versions(PRIOR, normal_intervals(horizons))] * len(rows),
        naming=naming,
        horizons=horizons,
        signal_share=question.signal_share,
        stale=[reasons[place] == STALE_REFUSED for place in places],
    )
    return dict(zip(places, assemble(group, range(len(rows)), question.now_ns), strict=True))
