"""What a backtest is asked for, beside what the training is."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from schemas.errors import StopAndSayError
from schemas.times import from_rfc3339, interval_ns, to_rfc3339

#: A year of daily bars.
REFIT_BARS = 252


@dataclass(frozen=True)
class BacktestOptions:
    """The command's options.

    Attributes:
        from_ns: Start of the first bar from which is predicted; None, of live outcomes only: as many as there are.
        to_ns: Nothing from it on is used; None: all.
        refit_bars: None: one training serves for all.
        members: Names; empty: all.
        model_set: Folder of a saved set that predicts everything.
    """

    from_ns: int | None = None
    to_ns: int | None = None
    refit_bars: int | None = REFIT_BARS
    members: tuple[str, ...] = ()
    model_set: Path | None = None
    from_outcomes: bool = False
    cost_bps: float = 5.0
    long_only: bool = False
    report: Path = Path("var/backtest/report.html")


def time_of(option: str, text: str | None, *, end: bool = False) -> int | None:
    """Read a date or a time; a date that ends a span is its last day.

    Raises:
        StopAndSayError: It is neither.
    """
    if not text:
        return None
    try:
        time_ns = from_rfc3339(text.strip())
    except ValueError as error:
        raise StopAndSayError(
            f"{option} {text!r}: give a date like 2010-01-04 or a time like 2010-01-04T14:30:00Z"
        ) from error
    return time_ns + interval_ns("1d") if end and _is_date(text.strip()) else time_ns


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def check(options: BacktestOptions, known_members: frozenset[str]) -> None:
    """Check options that must fit each other.

    Raises:
        StopAndSayError: They do not; the line names the option and the fix.
    """
    unknown = sorted(set(options.members) - known_members)
    problems = (
        (bool(unknown), f"--models: {', '.join(unknown)} is unknown; known are {', '.join(sorted(known_members))}"),
        (options.from_ns is None and not options.from_outcomes, "--from is missing: give the first day to predict"),
        (
            options.from_ns is not None and options.to_ns is not None and options.from_ns >= options.to_ns,
            f"--to {_text(options.to_ns)} is not after --from {_text(options.from_ns)}: choose a later --to",
        ),
        (
            options.model_set is not None and bool(options.members),
            "--models chooses what to train, and --model-set trains nothing: leave one of them out",
        ),
        (
            options.from_outcomes and (options.model_set is not None or bool(options.members)),
            "--from-outcomes reports what was predicted live: leave --models and --model-set out",
        ),
    )
    for wrong, words in problems:
        if wrong:
            raise StopAndSayError(words)


def _text(time_ns: int | None) -> str:
    return "" if time_ns is None else to_rfc3339(time_ns)
