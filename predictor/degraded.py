"""Why the full ensemble did not answer: every text that `Prediction.degraded` can hold.

Each follows from what names the prediction (its feature event, model set and members, and whether the set is stale), so
that one id keeps one content whenever and wherever it is predicted again.
"""

from collections.abc import Collection

from schemas.events import OLD_MODELS

#: The statistical forecaster answered: too few closed bars for the models' inputs.
WARMING_UP = "warming up"
#: The statistical forecaster answered: the last closes were all but the same, so the models have no unit to speak in.
NOT_MOVING = "prices do not move"
#: The statistical forecaster answered: the inputs follow other definitions than this predictor's.
OTHER_FEATURE_VERSION = "other feature version"
#: The statistical forecaster answered: no model set serves.
UNTRAINED = "untrained"
#: The statistical forecaster answered: a set serves, and none of its members gave usable numbers.
NO_MEMBER_ANSWERED = "no member answered"
#: The set answered, and it is older than `TICKCAST_MODEL_MAX_AGE_BARS`.
STALE = OLD_MODELS
#: It would have, and the statistical forecaster answered: `TICKCAST_REFUSE_STALE_MODELS`.
STALE_REFUSED = "stale: refused, retrain_recommended"

#: Those that are one text each; others are made of members' names.
REASONS = (
    WARMING_UP, NOT_MOVING, OTHER_FEATURE_VERSION, UNTRAINED, NO_MEMBER_ANSWERED, STALE, STALE_REFUSED
)  # fmt: skip


def without(names: Collection[str]) -> str | None:
    """Say which members with weight are missing (`without lstm`); the rest answered. None where none is."""
    return f"without {', '.join(sorted(names))}" if names else None


def and_stale(reason: str | None, *, stale: bool) -> str | None:
    """Add to a reason, if there is one, that the set is stale, if it is."""
    if not stale:
        return reason
    return STALE if reason is None else f"{reason}; {STALE}"
