"""The event of each decision: the whole serving state from then on, made of the one before it. Pure."""

from dataclasses import dataclass, field
from pathlib import Path

from msgspec import structs

from predictor.manifest import Manifest
from predictor.saving import model_event
from schemas.events import ModelAction, ModelEvent
from schemas.features import FEATURE_VERSION
from schemas.times import Interval

#: What a decision is about where there is no set at all.
NO_SET = "none"


@dataclass(frozen=True)
class FoundSet:
    """A set that lies here, whole."""

    manifest: Manifest
    folder: Path

    @property
    def name(self) -> str:
        """Give the set's name."""
        return self.manifest.model_set


@dataclass(frozen=True)
class Shape:
    """What a set must be made for."""

    interval: Interval
    horizons: tuple[int, ...]


@dataclass(frozen=True)
class Ruling:
    """What is said of a decision beside the state.

    Attributes:
        id: Made of the command's: decided again after a crash, it is the same decision.
        command_id: The command that it answers.
        failed: The command came to no answer.
    """

    id: str
    action: ModelAction
    decided_by: str
    reason: str
    now_ns: int
    command_id: str | None = None
    numbers: dict[str, float] = field(default_factory=dict)
    failed: bool = False

    def on(self, state: ModelEvent, model_set: str) -> ModelEvent:
        """Give a state as the one that this decision makes."""
        return structs.replace(
            state,
            id=self.id,
            model_set=model_set,
            action=self.action,
            decided_by=self.decided_by,
            reason=self.reason,
            decided_at_ns=self.now_ns,
            command_id=self.command_id,
            numbers=self.numbers,
            failed=self.failed,
        )


def serving(found: FoundSet, before: ModelEvent | None, ruling: Ruling, about: str | None = None) -> ModelEvent:
    """Let a set serve; the challenger stays, unless it is this set.

    Args:
        about: What the decision is about: the set, or the one that it takes the place of.
    """
    state = model_event(
        found.manifest, found.folder, ruling.action, ruling.decided_by, ruling.reason, now_ns=ruling.now_ns
    )
    if before is not None and before.challenger not in (None, found.name):
        state = structs.replace(
            state,
            challenger=before.challenger,
            challenger_location=before.challenger_location,
            challenger_sha256=before.challenger_sha256,
            challenger_share=before.challenger_share,
        )
    return ruling.on(state, about or found.name)


def challenged(found: FoundSet, share: float, before: ModelEvent, ruling: Ruling) -> ModelEvent:
    """Show a set beside the one that serves."""
    state = structs.replace(
        before,
        challenger=found.name,
        challenger_location=str(found.folder.resolve()),
        challenger_sha256=None,
        challenger_share=share,
    )
    return ruling.on(state, found.name)


def without_challenger(before: ModelEvent, ruling: Ruling) -> ModelEvent:
    """Show no set beside the one that serves."""
    about = before.challenger or before.model_set
    state = structs.replace(
        before, challenger=None, challenger_location=None, challenger_sha256=None, challenger_share=0.0
    )
    return ruling.on(state, about)


def unloaded(before: ModelEvent, ruling: Ruling) -> ModelEvent:
    """Let nothing serve; so nothing is shown beside it either."""
    about = before.serving or before.model_set
    state = structs.replace(before, serving=None, location=None, manifest_sha256=None)
    return ruling.on(without_challenger(state, ruling), about)


def unchanged(before: ModelEvent | None, shape: Shape, ruling: Ruling, about: str | None = None) -> ModelEvent:
    """Answer without changing anything.

    Args:
        about: The set that is refused; where nothing serves the members are those of the set that the decision before
            was about, so this one is about that too.
    """
    if before is None:
        return ruling.on(_nothing(shape), NO_SET)
    name = about if about is not None and before.serving is not None else None
    return ruling.on(before, name or before.serving or before.model_set)


def _nothing(shape: Shape) -> ModelEvent:
    return ModelEvent(
        id="",
        model_set=NO_SET,
        action=ModelAction.REJECTED,
        serving=None,
        location=None,
        interval=shape.interval,
        horizons=list(shape.horizons),
        feature_version=FEATURE_VERSION,
        train_start_ns=0,
        train_end_ns=0,
        members=[],
        decided_by="",
        reason="",
        decided_at_ns=0,
    )
