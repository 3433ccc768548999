"""Who may serve: judged on outcomes, with the numbers that it was judged on. Pure.

A *refresh* (the same recipe on later data) is promoted unless it is worse; a *change* of recipe only where it is
better, against the champion's live predictions first and then in its shadow. No difference is an answer.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from predictor.manifest import Manifest
from predictor.training.comparison import COMPARED_DATES, Comparison, compare
from predictor.training.pairs import Pairs, both_spoke, said_by
from schemas.events import Outcome

#: A refresh is worse where its losses are so far above the champion's that equal ones are this unlikely.
REFRESH_LEVEL = 0.10
#: A change is better where its losses are so far below.
CHANGE_LEVEL = 0.05
#: Of root mean squared errors, at each horizon by itself.
LARGEST_ERROR_RATIO = 1.03


@dataclass(frozen=True, slots=True)
class Judgment:
    """An answer, in words and in the numbers that it was made on, by name (`ModelEvent.numbers`)."""

    promote: bool
    reason: str
    numbers: dict[str, float] = field(default_factory=dict)


def judge_refresh(pairs: Pairs) -> Judgment:
    """Judge a set of the same recipe: promoted when not worse."""
    found = _compared(pairs)
    if isinstance(found, Judgment):
        return found
    numbers = found.numbers | {"p_value": found.p_worse, "level": REFRESH_LEVEL}
    if found.p_worse < REFRESH_LEVEL:
        return Judgment(False, f"worse (p {found.p_worse:.3f}): {found.text()}", numbers)
    if far := _too_far(found):
        return Judgment(False, f"{far}: {found.text()}", numbers)
    return Judgment(True, f"not worse (p {found.p_worse:.3f}): {found.text()}", numbers)


def judge_change(pairs: Pairs) -> Judgment:
    """Judge a set of another recipe: promoted when better."""
    found = _compared(pairs)
    if isinstance(found, Judgment):
        return found
    numbers = found.numbers | {"p_value": found.p_better, "level": CHANGE_LEVEL}
    if found.p_better < CHANGE_LEVEL:
        far = _too_far(found)
        verdict = far or f"better (p {found.p_better:.3f})"
        return Judgment(far is None, f"{verdict}: {found.text()}", numbers)
    verdict = "worse" if found.p_worse < CHANGE_LEVEL else "no difference"
    return Judgment(False, f"{verdict} (p {found.p_better:.3f} of being better): {found.text()}", numbers)


def judge_shadow(outcomes: Iterable[Outcome], champion: Manifest, challenger: Manifest) -> Judgment | None:
    """Judge a challenger by its shadow: on the outcomes of which both sets spoke, whichever of them was served.

    It is judged once, on the first 126 dates: who looks again every day until it is good promotes by luck. Later
    outcomes change nothing.

    Returns:
        None while there are fewer dates.
    """
    pairs = shadow_pairs(outcomes, champion, challenger)
    dates = pairs.dates()
    return judge_change(pairs.through(int(dates[COMPARED_DATES - 1]))) if len(dates) >= COMPARED_DATES else None


def shadow_pairs(outcomes: Iterable[Outcome], champion: Manifest, challenger: Manifest) -> Pairs:
    """Give what both sets said of the same outcomes, as of times that neither was trained on."""
    said = [
        (outcome, served, shown)
        for outcome in outcomes
        if both_spoke(outcome, champion, challenger)
        if (served := said_by(outcome, champion.model_set)) is not None
        if (shown := said_by(outcome, challenger.model_set)) is not None
    ]
    return Pairs.of(champion.horizons, said)


def _compared(pairs: Pairs) -> Comparison | Judgment:
    """Compare, or say that there is too little to."""
    if (dates := len(pairs.dates())) >= COMPARED_DATES:
        return compare(pairs)
    reason = f"cannot be compared: {dates} dates, and {COMPARED_DATES} are needed"
    return Judgment(False, reason, {"dates": float(dates)})


def _too_far(found: Comparison) -> str | None:
    """Say at which horizons the error is too large beside the champion's; None at none."""
    far = [str(horizon) for horizon, ratio in found.error_ratios.items() if ratio > LARGEST_ERROR_RATIO]
    return f"error ratio above {LARGEST_ERROR_RATIO} at {' and '.join(far)} bars" if far else None
