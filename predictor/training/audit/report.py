"""What an audit has found, for people and for programs."""

from collections.abc import Sequence

import msgspec

from predictor.training.audit.checks import Result
from predictor.training.audit.world import World
from schemas.times import to_rfc3339


def line_of(result: Result) -> str:
    """Say what a check has found."""
    finding = result.finding
    verdict = "ok  " if finding.passed else "LEAK"
    line = f"{verdict}  {finding.name:<9} {result.seconds:6.1f} s  {finding.compared}"
    return line if finding.problem is None else f"{line}\n      {finding.problem}"


def summary_of(results: Sequence[Result]) -> str:
    """Say how many checks failed."""
    failed = [result.finding.name for result in results if not result.finding.passed]
    if not failed:
        return f"nothing knows its own future: {len(results)} checks passed"
    return f"{len(failed)} of {len(results)} checks failed: {', '.join(failed)}"


def document_of(results: Sequence[Result], world: World, source: str, *, quick: bool) -> bytes:
    """Give all of it as JSON."""
    ends_ns = world.ends_ns()
    content = {
        "passed": all(result.finding.passed for result in results),
        "source": source,
        "tickers": sorted(world.bars),
        "interval": world.interval,
        "horizons": list(world.horizons),
        "from": to_rfc3339(int(ends_ns[0])),
        "through": to_rfc3339(int(ends_ns[-1])),
        "seed": world.seed,
        "quick": quick,
        "checks": [
            {
                "name": result.finding.name,
                "passed": result.finding.passed,
                "compared": result.finding.compared,
                "problem": result.finding.problem,
                "seconds": round(result.seconds, 3),
            }
            for result in results
        ],
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=2)
