"""What `models` says, and what follows from all of it: what serves, what served before, what was rolled back. Pure."""

from collections.abc import Iterable, Sequence

from schemas.events import ModelAction, ModelEvent

#: Who decides on the numbers of a training.
TRAINER = "trainer"
#: What wishes something without a person behind it: the first word of `requested_by`.
MACHINES = frozenset({"drift", "schedule", TRAINER})


def is_machine(who: str) -> bool:
    """Tell whether nobody in person wished or decided something."""
    return who.partition("/")[0] in MACHINES


class Past:
    """All decisions, oldest first."""

    def __init__(self, oldest_first: Iterable[ModelEvent] = ()) -> None:
        self.decisions: Sequence[ModelEvent] = tuple(oldest_first)

    @property
    def current(self) -> ModelEvent | None:
        """Give the decision whose state holds."""
        return self.decisions[-1] if self.decisions else None

    @property
    def serving(self) -> str | None:
        """Name the set that serves."""
        return None if self.current is None else self.current.serving

    @property
    def challenger(self) -> str | None:
        """Name the set that is shown beside it."""
        return None if self.current is None else self.current.challenger

    @property
    def unloaded(self) -> ModelEvent | None:
        """Give the decision by which nothing serves; None where something does, or nothing ever was decided."""
        if self.serving is not None:
            return None
        return next((event for event in reversed(self.decisions) if event.action is not ModelAction.REJECTED), None)

    def answer(self, command_id: str) -> ModelEvent | None:
        """Give the decision that answers a command."""
        return next((event for event in self.decisions if event.command_id == command_id), None)

    def placed(self) -> ModelEvent | None:
        """Give the decision that put the serving set in its place."""
        found = None
        for event in reversed(self.decisions):
            if event.serving != self.serving:
                break
            found = event
        return found

    def challenged(self) -> ModelEvent | None:
        """Give the decision that made the challenger one."""
        found = None
        for event in reversed(self.decisions):
            if self.challenger is None or event.challenger != self.challenger:
                break
            found = event
        return found

    def rolled_back(self) -> set[str]:
        """Name the sets that were rolled back, and that no person has loaded again since."""
        names: set[str] = set()
        for event in self.decisions:
            if event.action is ModelAction.ROLLED_BACK:
                names.add(event.model_set)
            elif event.action is ModelAction.LOADED and not is_machine(event.decided_by):
                names.discard(event.model_set)
        return names

    def before_current(self) -> str | None:
        """Name the set that served before the one that does now and was not rolled back itself."""
        passed_over = {self.serving, *self.rolled_back()}
        return next((name for name in self._served_newest_first() if name not in passed_over), None)

    def last_sets(self, count: int) -> list[str]:
        """Name the sets that had a part most lately, those that have one now first."""
        had_a_part = (name for event in reversed(self.decisions) for name in (event.serving, event.challenger))
        names = dict.fromkeys(name for name in (*had_a_part, self.before_current()) if name is not None)
        needed = [name for name in (self.serving, self.challenger, self.before_current()) if name is not None]
        return list(dict.fromkeys([*needed, *names]))[:count]

    def manifest_sha256(self, name: str) -> str | None:
        """Give the digest under which the artifact store has a set's manifest, where it was said."""
        for event in reversed(self.decisions):
            if event.serving == name and event.manifest_sha256 is not None:
                return event.manifest_sha256
            if event.challenger == name and event.challenger_sha256 is not None:
                return event.challenger_sha256
        return None

    def locations(self, name: str) -> list[str]:
        """Give the folders in which a set was said to lie, the newest first."""
        found = []
        for event in reversed(self.decisions):
            if event.serving == name and event.location is not None:
                found.append(event.location)
            if event.challenger == name and event.challenger_location is not None:
                found.append(event.challenger_location)
        return list(dict.fromkeys(found))

    def first_decision_on(self, name: str) -> str | None:
        """Give the id of the decision that first gave a set a part: the one that the mirror has its version under."""
        return next((event.id for event in self.decisions if name in (event.serving, event.challenger)), None)

    def spoke_of(self, name: str) -> bool:
        """Tell whether any decision named a set."""
        return any(name in (event.model_set, event.serving, event.challenger) for event in self.decisions)

    def with_decision(self, event: ModelEvent) -> "Past":
        """Give the past after one more decision."""
        return Past((*self.decisions, event))

    def _served_newest_first(self) -> list[str]:
        return [event.serving for event in reversed(self.decisions) if event.serving is not None]
