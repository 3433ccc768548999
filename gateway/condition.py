"""What the gateway knows of itself beside its state: when Kafka was last heard, and whether it is going away."""


class Condition:
    """Set by the feed and the server, read by the routes.

    Attributes:
        draining: It was told to stop, and says so to whoever asks whether to send it requests.
        heard_at_ns: Since when nothing was heard of the partition that was silent longest; None before the first.
        caught_up_at_ns: When the view had all that the topics held at the start.
    """

    def __init__(self) -> None:
        self.draining = False
        self.heard_at_ns: int | None = None
        self.caught_up_at_ns: int | None = None

    def silent_seconds(self, now_ns: int) -> float:
        """Give how long Kafka has been silent."""
        return 0.0 if self.heard_at_ns is None else max(0.0, (now_ns - self.heard_at_ns) / 1e9)
