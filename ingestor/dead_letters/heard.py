"""What one partition of `ticks` says of replays, by the feature stage's own rule. No I/O.

The stage takes a frame only if its sequence is above its source's last one in the partition. A replay sends one frame
at a time, numbered by what it has read of the partition, and then reads on to that frame. So if two replays run at once
and both send a letter, the second frame's number is not above the first one's, and the stage passes it over: nothing is
absorbed twice. Whose frame was passed over sees it here, and sends it again if its letter is still missing.
"""

import re

from ingestor.dead_letters.letter import Letter
from ingestor.resume import FrameEnd
from schemas.codec import UndecodableError, decoder
from schemas.dead_letters import REPLAY_SOURCE
from schemas.errors import StopAndSayError
from schemas.topics import TICKS

_NAME = f'"{REPLAY_SOURCE}"'.encode()
_is_position = re.compile(rf"{TICKS.name}:\d+:\d+(:\d+)?").fullmatch
_decode = decoder(FrameEnd)


class HeardReplays:
    """What was read of one partition so far.

    Args:
        first_offset: Of the first record that its log has.

    Attributes:
        first_offset: From here on nothing is missing.
        next_offset: Of the next record to read.
        letters: Positions of the replayed frames that the stage takes.
    """

    def __init__(self, first_offset: int) -> None:
        self.first_offset = first_offset
        self.next_offset = first_offset
        self.letters: set[str] = set()
        self._sequence: int | None = None

    @property
    def next_sequence(self) -> int:
        """Give the number of the next frame.

        Where the log's beginning is gone with all replays in it, this is above all of theirs: a sequence is never
        above its frame's offset.
        """
        return self.first_offset if self._sequence is None else self._sequence + 1

    def hear(self, offset: int, value: bytes | None) -> bool:
        """Take the next record in.

        Returns:
            It is a replayed frame, and the stage takes it.

        Raises:
            StopAndSayError: Somebody else uses the name of the replay.
        """
        self.skip_to(offset)
        self.next_offset = offset + 1
        if value is None or _NAME not in value:
            return False
        try:
            frame = _decode(value)
        except UndecodableError:  # not written by us; the stage dead-letters it
            return False
        if frame.source != REPLAY_SOURCE:
            return False
        if not _is_position(frame.position):
            raise StopAndSayError(
                f"an ingestor plays under the name {REPLAY_SOURCE}, which is the replay's own: "
                "give it another TICKCAST_SOURCE_NAME"
            )
        if self._sequence is not None and frame.sequence <= self._sequence:
            return False
        self._sequence = frame.sequence
        self.letters.add(frame.position)
        return True

    def skip_to(self, offset: int) -> None:
        """Note that the records before an offset are gone, if they were not read."""
        if offset > self.next_offset:
            self.first_offset = self.next_offset = offset
            self._sequence = None

    def tells_of(self, letter: Letter, partition: int) -> bool:
        """Tell whether a replay of a letter to this partition would be in what was read.

        Args:
            partition: This one. On the letter's own, a replay comes after the record that the letter is about.
        """
        if self.first_offset == 0:
            return True
        return letter.partition == partition and letter.offset is not None and letter.offset + 1 >= self.first_offset
