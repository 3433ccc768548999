"""How often a provider may be asked that has no stream."""

from math import inf

from ingestor.sources.live.provider import Limits


def poll_pause_seconds(
    limits: Limits, left_today: int | None, open_seconds: float, *, kept_share: float, least_seconds: float
) -> float:
    """Give the time from one request to the next, so that the day's last one is sent at the close; infinite: none is.

    Args:
        left_today: Requests that the day still allows; None: any number.
        open_seconds: Until the close.
        kept_share: Of what a minute or a day allows, so much is for history.
        least_seconds: It is no shorter.
    """
    pauses = [least_seconds]
    if limits.per_minute is not None:
        pauses.append(60 / (limits.per_minute * (1 - kept_share)))
    if limits.per_day is not None and left_today is not None:
        polls = left_today - int(limits.per_day * kept_share)
        pauses.append(open_seconds / polls if polls > 0 else inf)
    return max(pauses)
