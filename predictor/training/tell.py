"""Who waits for a training is told how far it is."""

from collections.abc import Callable

#: Told how much is done, from 0 to 1, and what is done now.
Tell = Callable[[float, str], None]
