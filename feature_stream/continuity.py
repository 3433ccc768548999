"""Whether a record follows the last one; a record that does not is a gap, and is healed by going back."""

from enum import Enum

#: A rewind that brought nothing is tried again after this.
REWIND_EVERY_SECONDS = 0.5
#: So many rewinds that give the same later record prove that the hole is in the log.
REWINDS_THAT_PROVE_A_LOSS = 3


class Verdict(Enum):
    """What to do with a record."""

    TAKE = "take"
    SKIP = "skip"
    REWIND = "rewind"


class Continuity:
    """The order of one partition's records.

    After a gap nothing is taken until the wanted record comes; stale records that were fetched before the
    rewind are skipped.
    """

    def __init__(self, next_offset: int) -> None:
        self.next_offset = next_offset
        self._rewound_at: float | None = None
        self._lowest_seen: int | None = None
        self._lowest_before: int | None = None
        self._same_in_a_row = 0

    @property
    def waiting(self) -> bool:
        """Tell whether a rewind is under way."""
        return self._rewound_at is not None

    def judge(self, offset: int, now: float) -> Verdict:
        """Say what to do with a record; after REWIND the caller seeks to `next_offset`.

        Args:
            offset: The record's.
            now: A monotonic clock, in seconds.
        """
        if offset < self.next_offset:
            return Verdict.SKIP
        if offset == self.next_offset:
            self.next_offset += 1
            self._forget()
            return Verdict.TAKE
        if not self.waiting:
            self._rewound_at = now
            return Verdict.REWIND
        self._lowest_seen = offset if self._lowest_seen is None else min(self._lowest_seen, offset)
        return Verdict.SKIP

    def rewind_due(self, now: float) -> bool:
        """Tell whether to seek again, and begin the next try; to be asked now and then while waiting."""
        if self._rewound_at is None or now - self._rewound_at < REWIND_EVERY_SECONDS:
            return False
        if self._lowest_seen is not None:
            self._same_in_a_row = self._same_in_a_row + 1 if self._lowest_seen == self._lowest_before else 1
            self._lowest_before = self._lowest_seen
        self._lowest_seen = None
        self._rewound_at = now
        return True

    def pass_loss(self) -> int:
        """Pass a hole that is in the log, if it is proved; the caller then seeks to `next_offset`.

        Returns:
            How many records are lost; 0 where nothing is proved.
        """
        if self._lowest_before is None or self._same_in_a_row < REWINDS_THAT_PROVE_A_LOSS:
            return 0
        lost = self._lowest_before - self.next_offset
        self.next_offset = self._lowest_before
        self._lowest_before, self._same_in_a_row = None, 0
        return lost

    def pass_to(self, first_offset: int) -> int:
        """Pass what lies before the log's first record: it is surely gone.

        Returns:
            How many records are lost.
        """
        lost = max(0, first_offset - self.next_offset)
        if lost:
            self.next_offset = first_offset
            self._lowest_seen = self._lowest_before = None
            self._same_in_a_row = 0
        return lost

    def _forget(self) -> None:
        self._rewound_at = self._lowest_seen = self._lowest_before = None
        self._same_in_a_row = 0
