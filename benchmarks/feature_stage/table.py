"""The results as Markdown. No I/O."""

import math

from benchmarks.feature_stage.results import BY_NAME, Goal, Measured, Result, bound_of, goals, paired

#: The command replaces what stands between them in a page.
BEGIN, END = "<!-- bench-features: begin -->", "<!-- bench-features: end -->"
_WORDS = {True: "yes", False: "**no**", None: "told"}
_HEAD = (
    "| contestant | input | ticks/s a worker | lowest to highest | of the bare loop "
    "| CPU µs a tick | features/s | p99 ms | memory MiB |\n"
    "|---|---|---:|---:|---:|---:|---:|---:|---:|\n"
)


def markdown(measured: Measured) -> str:
    """Give the tables, one for each number of tickers, and the goals."""
    parts = [_table(measured, tickers) for tickers in measured.tickers]
    return "\n".join([*parts, _notes(measured), _goals(goals(measured))])


def _table(measured: Measured, tickers: int) -> str:
    rows = [_row(measured, result) for result in measured.results if result.tickers == tickers]
    return f"**{tickers:,} tickers**\n\n{_HEAD}{''.join(rows)}"


def _row(measured: Measured, result: Result) -> str:
    contestant = BY_NAME[result.name]
    ratio = paired(result.rounds, measured.rounds(bound_of(contestant), result.tickers))
    share = "-" if ratio is None or contestant.flat else f"{ratio:.0%}"
    if contestant.input == "frames":
        shape = "frames"
    else:
        shape = "flat ticks by ticker (different input)" if contestant.peer else "frames of one tick"
    p99_ms = measured.p99_ms.get(result.name)
    cells = (
        result.name,
        shape,
        f"{result.ticks_per_second:,.0f}",
        f"{min(result.rounds):,.0f} to {max(result.rounds):,.0f}",
        share,
        f"{result.cpu_microseconds:.2f}",
        f"{result.features_per_second:,.0f}",
        _milliseconds(p99_ms),
        f"{result.memory_mebibytes:,.0f}",
    )
    return f"| {' | '.join(cells)} |\n"


def _milliseconds(p99_ms: float | None) -> str:
    if p99_ms is None:
        return "-"
    return f"{p99_ms:,.0f}" if math.isfinite(p99_ms) else "falls behind"


def _notes(measured: Measured) -> str:
    return (
        f"Medians of {measured.runs} rounds, each over up to {measured.seconds:g} s of a log that waits, on "
        f"{measured.cores} cores that the broker shares. In a round all run once, in every second one in the other "
        "order; a ratio is the median of the rounds' ratios, because the machine's speed changes with the hour. p99 is "
        "from tick to feature at 10,000 ticks/s over 500 tickers, leading edge. Every contestant's bars and "
        "features were first compared with the pure functions.\n"
    )


def _goals(found: list[Goal]) -> str:
    rows = [f"| Tickcast: {goal.text} | {goal.value} | {_WORDS[goal.reached]} |\n" for goal in found]
    return f"| goal | measured | reached |\n|---|---:|---|\n{''.join(rows)}"


def replaced(page: str, section: str) -> str:
    """Give a page with a section between its marks; a page without marks as it is."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{begin}\n{section}\n{end}{after}" if begin and end else page
