"""How often each healing was needed, by the workers' logs: counters die with their process."""

import re
from collections import Counter
from collections.abc import Iterable

from tests.chaos.plan import Disturbance

#: What a service logs, and what it means. The first that matches a line counts.
_HEALINGS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("ended itself: {0}", r"(?:^| )(\w+Error): .*this process ends itself"),
        ("ended itself: stood still", r"stood still for .*this process ends itself"),
        ("ended itself: other", r"this process ends itself"),
        ("silence: read again", r"brings nothing.* reading again from"),
        ("gap: read again", r"reading again from \d+"),
        ("hole passed as a loss", r"records are gone from the log"),
        ("frames that came before passed over", r"came before: passed over"),
        ("lost newest states caught up with", r"the changelog lost the newest states"),
        ("offsets not committed", r"offsets were not committed"),
        ("last checkpoint not acknowledged", r"the last checkpoint was not acknowledged"),
        ("left without the broker's goodbye", r"stopped all the same"),
        ("predictor lost its place", r"another predictor may have taken over"),
    )
)


def healings(outputs: Iterable[str]) -> Counter[str]:
    """Count the healings that logs tell of."""
    found: Counter[str] = Counter()
    for output in outputs:
        for line in output.splitlines():
            for name, pattern in _HEALINGS:
                if match := pattern.search(line):
                    found[name.format(*match.groups())] += 1
                    break
    return found


def report(seed: int, disturbances: Iterable[Disturbance], outputs: Iterable[str], facts: Iterable[str]) -> str:
    """Write what happened.

    Args:
        outputs: Of every process.
        facts: More lines.
    """
    done = Counter(f"{each.member.split('-')[0]} {each.kind}" for each in disturbances)
    lines = [
        f"chaos, seed {seed}: {done.total()} disturbances",
        *(f"  {times:4d} {what}" for what, times in sorted(done.items())),
        "healings, by the logs of all lives",
        *(f"  {times:4d} {what}" for what, times in sorted(healings(outputs).items())),
        *facts,
    ]
    return "\n".join(lines)
