"""Attempts with pauses that grow, by `stamina`."""

from typing import Any

from ingestor.sources.live.packages import live_package


def attempts(count: int | None, pause_seconds: float, longest_pause_seconds: float) -> Any:
    """Give what calls something again while it fails.

    Args:
        count: Attempts at most; None: without end.
        pause_seconds: After the first failure; each later pause is twice as long, all with jitter.
        longest_pause_seconds: No pause is longer.
    """
    live_package("stamina.instrumentation").set_on_retry_hooks([])  # its own would show what a call held
    return live_package("stamina").AsyncRetryingCaller(
        attempts=count,
        timeout=None,
        wait_initial=pause_seconds,
        wait_max=longest_pause_seconds,
        wait_jitter=pause_seconds,
    )
