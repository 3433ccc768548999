"""A bound on what may take time beside the work itself: it rests after an overrun, longer after each."""

#: Batches that are left out after the first overrun; twice as many after each further one, up to the most, and half as
#: many after a batch within the budget: a machine that is busy for a moment costs a batch, and not a day's evidence.
FIRST_REST, MOST_REST = 1, 64
#: Batches within the budget in a row after which it is well again.
CALM_BATCHES = 64


class Budget:
    """Whether something may take part in the next batch, by how long it took in the last ones.

    Attributes:
        resting: It is in trouble: an overrun or a failure lies not far enough back.
    """

    def __init__(self, seconds: float) -> None:
        self.resting = False
        self._seconds = seconds
        self._rest = FIRST_REST
        self._left_out = 0
        self._calm = 0

    def takes_part(self) -> bool:
        """Tell, once for each batch, whether it takes part."""
        if self._left_out == 0:
            return True
        self._left_out -= 1
        return False

    def took(self, seconds: float) -> bool:
        """Hear how long it took; tell whether that was within the budget."""
        if seconds > self._seconds:
            self.rest()
            return False
        self._calm += 1
        self._rest = max(FIRST_REST, self._rest // 2)
        if self._calm >= CALM_BATCHES:
            self.resting = False
        return True

    def rest(self) -> None:
        """Leave it out for a while."""
        self.resting, self._calm = True, 0
        self._left_out, self._rest = self._rest, min(2 * self._rest, MOST_REST)
