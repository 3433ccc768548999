"""What the command does: walk or read, compose, write, and say what came out."""

from pathlib import Path

import msgspec

from predictor.models import KNOWN
from predictor.training.backtest.compose import compose
from predictor.training.backtest.contents import Report, ReportOptions
from predictor.training.backtest.live import read_what_was_predicted
from predictor.training.backtest.options import BacktestOptions, check
from predictor.training.backtest.past import Walked, walk_the_past
from predictor.training.backtest.table import table_of
from predictor.training.quiet import training_packages
from predictor.training.settings import TrainingSettings
from predictor.training.tasks import say
from schemas.times import to_rfc3339

SERVICE = "backtest"


def backtest(settings: TrainingSettings, options: BacktestOptions) -> Path:
    """Make the report, and give its path.

    Raises:
        StopAndSayError: An option or a setting does not fit.
        RetryError: The broker does not answer.
    """
    check(options, KNOWN)
    with training_packages():
        from predictor.training.backtest.page import page_of  # noqa: PLC0415 - matplotlib, and before any work
    walked = read_what_was_predicted(settings, options) if options.from_outcomes else walk_the_past(settings, options)
    report = compose_walked(walked, settings, options)
    numbers = options.report.with_suffix(".json")
    write(options.report, page_of(report).encode())
    write(numbers, encoded(report))
    say(table_of(report))
    say(report.verdict)
    say(f"wrote {options.report} and {numbers}")
    return options.report


def compose_walked(walked: Walked, settings: TrainingSettings, options: BacktestOptions) -> Report:
    """Compose the report of what a walk brought."""
    live = options.from_outcomes
    trains = not live and options.model_set is None
    asked = ReportOptions(
        source=settings.source.partition(":")[0],
        live=live,
        interval=settings.interval,
        seed=settings.training_seed,
        cost_bps=options.cost_bps,
        long_only=options.long_only,
        signal_share=None if live else settings.signal_share,
        first=None if options.from_ns is None else to_rfc3339(options.from_ns),
        last=None if options.to_ns is None else to_rfc3339(options.to_ns),
        refit_bars=options.refit_bars if trains else None,
        window_bars=settings.training_window_bars if trains else None,
        models=list(options.members),
    )
    return compose(walked.outcomes, walked.bars, walked.manifests, asked)


def encoded(report: Report) -> bytes:
    """Write a report as JSON: the same bytes for the same numbers."""
    return msgspec.json.format(msgspec.json.encode(report, order="deterministic"), indent=2) + b"\n"


def write(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(content)
    unfinished.replace(path)
