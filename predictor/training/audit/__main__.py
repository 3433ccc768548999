"""`python -m predictor.training.audit`: cut off the future, and see that nothing changes. Exit code 1 where it does."""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from predictor.training.quiet import quiet_import
from predictor.training.settings import TrainingSettings
from predictor.training.tasks import say
from schemas.errors import StopAndSayError
from schemas.service import run_service
from schemas.settings import Settings, load_settings
from schemas.times import INTERVALS, to_rfc3339

SERVICE = "audit"


def main(arguments: Sequence[str]) -> None:
    """Audit and exit."""
    given = vars(_parser().parse_args(arguments))
    quick, as_json = given.pop("quick"), given.pop("json")
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}

    def run(_shared: Settings) -> None:
        if not audit(load_settings(TrainingSettings, **options), quick=quick, as_json=as_json):
            sys.exit(1)

    run_service(SERVICE, Settings, run)


def audit(settings: TrainingSettings, *, quick: bool, as_json: bool) -> bool:
    """Run all checks and print what they find; tell whether all passed.

    Raises:
        StopAndSayError: There is not enough history, or the packages for training are not installed.
    """
    _compute_on_one_thread()
    with _training_packages():
        from predictor.training.audit.checks import checks_of, run_checks  # noqa: PLC0415 - TensorFlow, quietly
        from predictor.training.audit.plan import plan_of  # noqa: PLC0415
        from predictor.training.audit.report import document_of, line_of, summary_of  # noqa: PLC0415
    plan = plan_of(settings, quick=quick)
    through = to_rfc3339(int(plan.world.ends_ns()[-1]))
    _progress(f"{settings.source} through {through}: {', '.join(plan.world.bars)}, seed {plan.world.seed}")
    results = []
    for result in run_checks(checks_of(plan), _progress, time.perf_counter):
        results.append(result)
        if not as_json:
            say(line_of(result))
    say(document_of(results, plan.world, settings.source, quick=quick).decode() if as_json else summary_of(results))
    return all(result.finding.passed for result in results)


@contextmanager
def _training_packages() -> Iterator[None]:
    """Import what only the training needs, quietly; where it is missing, say which extra has it."""
    try:
        with quiet_import():
            yield
    except ImportError as error:
        raise StopAndSayError(f"{error.name} is missing: the audit needs `pip install 'tickcast[train]'`") from error


def _compute_on_one_thread() -> None:
    """Tell TensorFlow, before it is imported; the other libraries are told while they work."""
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, "1")


def _progress(text: str) -> None:
    """Tell people how far it is, beside what is asked for."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tickcast audit",
        description="Cut off the future and compare features, scalers, models, intervals and scoreboards bit for bit; "
        "look for skill on permuted labels. Exit code 1 where a check fails.",
        epilog="Options not given fall back to settings such as TICKCAST_SOURCE. docs/audit.md says what is shown.",
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="two tickers, 700 bars, small models: seconds in place of minutes")
    add("--json", action="store_true", help="print one JSON document instead of lines")
    add("--source", metavar="replay|file:PATH", help="whose bars to audit on (replay)")
    add("--to", dest="start", metavar="DATE", help="bars that end by then (the start of what is played)")
    add("--tickers", metavar="AAPL,MSFT", help="only these")
    add("--seed", dest="training_seed", type=int, metavar="N", help="of every random choice")
    add("--horizons", metavar="1,5,21", help="in bars, ascending")
    add("--interval", choices=INTERVALS, help="length of a bar")
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
