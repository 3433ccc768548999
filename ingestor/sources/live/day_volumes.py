"""Sizes out of a volume that counts since the morning."""


class DayVolumes:
    """The newest day volume of each ticker."""

    def __init__(self) -> None:
        self._newest: dict[str, tuple[int, int]] = {}

    def grown(self, ticker: str, time_ms: int, day_volume: int) -> float:
        """Give by how much a ticker's volume has grown.

        0 for the first price, whose size is unknown, on a new day, and for a price that came after a later one.
        """
        newest = self._newest.get(ticker)
        if newest is not None and time_ms < newest[0]:
            return 0.0
        self._newest[ticker] = (time_ms, day_volume)
        return 0.0 if newest is None else float(max(0, day_volume - newest[1]))
