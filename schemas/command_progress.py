"""How far each command is, for `service-status`. Pure."""

from msgspec import structs

from schemas.events import CommandProgress, CommandState, ModelCommand, SourceCommand

#: Of those that have ended, the newest are told.
ENDED_TOLD = 20


_ENDS = frozenset({CommandState.DONE, CommandState.REFUSED, CommandState.FAILED})


class Progress:
    """The commands that are open, and those that ended last."""

    def __init__(self) -> None:
        self._by_id: dict[str, CommandProgress] = {}

    def tell(
        self, command: ModelCommand | SourceCommand, state: CommandState, message: str = "", progress: float = 0.0
    ) -> None:
        """Say where a command is."""
        done = 1.0 if state in _ENDS else min(max(progress, 0.0), 1.0)
        self._by_id.pop(command.id, None)  # what was said last comes last
        self._by_id[command.id] = CommandProgress(
            id=command.id, action=command.action, state=state, progress=done, message=message
        )
        self._forget()

    def told(self, progress: CommandProgress) -> None:
        """Take what was said of a command before a restart."""
        self._by_id[progress.id] = progress

    def move(self, command_id: str, progress: float, message: str) -> None:
        """Say how far a command is that runs."""
        known = self._by_id.get(command_id)
        if known is not None and known.state == CommandState.RUNNING:
            self._by_id[command_id] = structs.replace(
                known, progress=min(max(progress, known.progress), 1.0), message=message
            )

    def all(self) -> list[CommandProgress]:
        """Give them, the one that was told of last at the end."""
        return list(self._by_id.values())

    def _forget(self) -> None:
        ended = [each.id for each in self._by_id.values() if each.state in _ENDS]
        for command_id in ended[:-ENDED_TOLD]:
            del self._by_id[command_id]
