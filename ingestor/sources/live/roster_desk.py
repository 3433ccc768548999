"""Commands become changes of a roster, each answered once. Pure: whoever subscribes says what came of it."""

import logging
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from ingestor.sources.live.roster import RefusedChangeError, Roster, short_list
from schemas.command_progress import Progress
from schemas.events import CommandProgress, CommandState, SourceAction, SourceCommand, SourceStatus
from schemas.symbols import normalise_ticker

_log = logging.getLogger(__name__)

#: Commands that are known when they come again, the newest.
_MOST_KNOWN = 10_000


class PlacedCommand(NamedTuple):
    """A command of `source-commands`, where it lies, and when the broker had it."""

    offset: int
    at_ns: int
    command: SourceCommand


class RosterDesk:
    """The roster of a source that plays.

    What only takes tickers away holds at once. What brings some holds once the provider sends them; where it refuses,
    it is taken back, even later, until something came of them: not every provider acknowledges. After a restart, what
    held stands in the last status, and commands after it are read again: so nothing that was told is forgotten.

    Args:
        beginning: The tickers of the settings.
        fixed: Why no command changes them; empty: commands do.
    """

    def __init__(self, beginning: Sequence[str], fixed: str = "") -> None:
        self._beginning = tuple(beginning)
        self._fixed = fixed
        self._held = self._wanted = Roster(self._beginning)
        self._pending: list[PlacedCommand] = []
        self._unheard: dict[str, PlacedCommand | None] = {}
        self._read_before = 0
        self._known: dict[str, None] = {}
        self._progress = Progress()

    @property
    def roster(self) -> Roster:
        """Give what is wanted."""
        return self._wanted

    @property
    def held(self) -> Roster:
        """Give what holds."""
        return self._held

    @property
    def answers(self) -> list[CommandProgress]:
        """Give the commands that are open, and those that were answered last."""
        return self._progress.all()

    def status(self, source: str, plays: str) -> SourceStatus:
        """Give what a restart must know."""
        return SourceStatus(
            source=source,
            plays=plays,
            changeable=not self._fixed,
            tickers=list(self._held.tickers),
            paused_ns=self._held.paused_ns,
            beginning=list(self._beginning),
            unheard=sorted(self._unheard),
            commands_before=self._pending[0].offset if self._pending else self._read_before,
        )

    def restore(self, kept: SourceStatus, answers: Iterable[CommandProgress], end_offset: int) -> None:
        """Take up what held before a restart; other tickers in the settings are a new beginning.

        Args:
            kept: This source's last word.
            end_offset: Of `source-commands`; where it is below what was answered, that was another log.
        """
        if tuple(kept.beginning) == self._beginning:
            self._held = self._wanted = Roster(tuple(kept.tickers), kept.paused_ns)
            self._unheard = dict.fromkeys(kept.unheard)
        self._read_before = kept.commands_before if kept.commands_before <= end_offset else 0
        for answer in answers:
            if answer.state != CommandState.RUNNING:
                self._progress.told(answer)

    def take(self, placed: PlacedCommand) -> None:
        """Do what a command asks for, unless it was done before."""
        answered = placed.offset < self._read_before or placed.command.id in self._known
        self._know(placed.command.id)
        self._read_before = max(self._read_before, placed.offset + 1)
        if not answered:
            self._pending.append(placed)
            self._progress.tell(placed.command, CommandState.RUNNING, "waits for the provider to send them")
            self._change(placed)
            self.sent(self._held.playing)

    def sent(self, tickers: Collection[str]) -> None:
        """Let what is wanted hold, if it is no more than what the provider sends."""
        if set(self._wanted.playing) <= set(tickers):
            self._note_added()
            self._held = self._wanted
            for placed in self._pending:
                self._answer(placed, CommandState.DONE, _words(self._held))
            self._pending = []

    def heard(self, tickers: Iterable[str]) -> None:
        """Note of which tickers something came: the provider has them."""
        for ticker in tickers if self._unheard else ():
            self._unheard.pop(ticker, None)

    def refused(self, reason: str) -> bool:
        """Take back what brought tickers that do not come yet; give whether there was any."""
        if not self._pending:
            return self._take_back_unheard(reason)
        pending, self._pending = self._pending, []
        self._wanted = self._held
        for placed in pending:
            before = self._wanted
            self._pending.append(placed)
            self._change(placed)
            if not set(self._wanted.playing) <= set(self._held.playing):
                self._wanted = before
                self._refuse(placed, reason)
        self.sent(self._held.playing)
        return True

    def _note_added(self) -> None:
        """Those of the settings are not taken back: a refusal of them is the user's to mend."""
        commands = {normalise_ticker(name): placed for placed in self._pending for name in placed.command.tickers}
        added = set(self._wanted.tickers) - set(self._held.tickers) - set(self._beginning)
        kept = {ticker: placed for ticker, placed in self._unheard.items() if ticker in self._wanted.tickers}
        self._unheard = kept | {ticker: commands.get(ticker) for ticker in sorted(added)}

    def _take_back_unheard(self, reason: str) -> bool:
        gone = tuple(ticker for ticker in self._held.playing if ticker in self._unheard)
        if not gone:
            return False
        self._held = self._wanted = self._held.after(SourceAction.REMOVE, gone, 0)
        _log.warning("%s taken back: %s", short_list(gone), reason)
        commands = [placed for placed in map(self._unheard.pop, gone) if placed is not None]
        for placed in {placed.command.id: placed for placed in commands}.values():
            self._answer(placed, CommandState.REFUSED, reason)
        return True

    def _know(self, command_id: str) -> None:
        self._known[command_id] = None
        if len(self._known) > _MOST_KNOWN:
            del self._known[next(iter(self._known))]

    def _change(self, placed: PlacedCommand) -> None:
        command = placed.command
        try:
            if self._fixed:
                raise RefusedChangeError(self._fixed)
            self._wanted = self._wanted.after(command.action, command.tickers, placed.at_ns)
        except RefusedChangeError as error:
            self._refuse(placed, str(error))

    def _refuse(self, placed: PlacedCommand, reason: str) -> None:
        self._pending.remove(placed)
        self._answer(placed, CommandState.REFUSED, reason)

    def _answer(self, placed: PlacedCommand, state: CommandState, words: str) -> None:
        command = placed.command
        self._progress.tell(command, state, words)
        level = logging.WARNING if state is CommandState.REFUSED else logging.INFO
        asked = short_list(command.tickers) or "all"
        _log.log(level, "%s %s, asked by %s: %s: %s", command.action, asked, command.requested_by, state, words)


def _words(roster: Roster) -> str:
    paused = f"; paused: {short_list(tuple(roster.paused_ns))}" if roster.paused_ns else ""
    return f"plays {short_list(roster.playing) or 'nothing'}{paused}"
