"""Outcomes and bars to a report: no I/O, no clock, the same bytes for the same input and seed."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from feature_stream.scores.state import BoardSizes, ScoreKeeper
from ingestor.sources.bars import BarColumns
from predictor.manifest import Manifest
from predictor.training.backtest.confidence import confidence_of
from predictor.training.backtest.contents import Equity, HorizonReport, Report, ReportOptions, ReportSet, Trading
from predictor.training.backtest.coverage import interval_scores
from predictor.training.backtest.errors import ForecasterScore, adjusted, forecaster_scores
from predictor.training.backtest.figures import resamples_of, told_of
from predictor.training.backtest.stretches import stretches_of, ticker_years
from predictor.training.backtest.tables import Table, quantiles_of, quantiles_said, tables_of
from predictor.training.backtest.trading import BUY_AND_HOLD, FORECASTS, TradeRules, bars_per_year, follow
from predictor.training.backtest.verdict import caveats_for, verdict_of
from schemas.errors import StopAndSayError
from schemas.events import HorizonScore, Outcome, Scoreboard
from schemas.times import interval_ns, to_rfc3339

_ALL = "*"


def compose(
    outcomes: Sequence[Outcome],
    bars: Mapping[str, BarColumns],
    manifests: Sequence[Manifest],
    options: ReportOptions,
) -> Report:
    """Make a report.

    Args:
        outcomes: In any order; of each place only the first one counts, as on the boards.
        bars: By ticker: all from each prediction to its end.
        manifests: Of the sets that predicted, as far as they are at hand.

    Raises:
        StopAndSayError: None of the outcomes counts, or bars are missing.
    """
    first = {outcome.id: outcome for outcome in reversed(outcomes)}
    ordered = sorted(first.values(), key=lambda outcome: (outcome.matured_ns, outcome.ticker, outcome.horizon))
    tables = tables_of(ordered, quantiles_said(ordered) | quantiles_of(manifests))
    if not tables:
        raise StopAndSayError(_why_none(ordered))
    scores = adjusted({horizon: forecaster_scores(table) for horizon, table in tables.items()})
    whole = _whole_span(ordered, options)
    horizons = [_horizon(table, scores[each], whole[each], bars, options) for each, table in tables.items()]
    return Report(
        verdict=verdict_of(horizons),
        caveats=caveats_for(options.source),
        options=options,
        tickers=sorted({outcome.ticker for outcome in ordered if outcome.scored}),
        first_as_of=to_rfc3339(min(int(table.as_of_ns[0]) for table in tables.values())),
        last_matured=to_rfc3339(max(int(table.matured_ns.max()) for table in tables.values())),
        sets=_sets(ordered, manifests),
        horizons=horizons,
        boards=_boards(ordered, options),
        unscored=dict(sorted(Counter(each.unscored_reason or "" for each in ordered if not each.scored).items())),
    )


def _why_none(outcomes: Sequence[Outcome]) -> str:
    reasons = Counter(outcome.unscored_reason for outcome in outcomes)
    why = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items(), key=str))
    found = f"{len(outcomes)} outcomes do not count ({why})" if outcomes else "no prediction has matured"
    return (
        f"there is nothing to report: {found}; choose --from and --to further apart, or later than what was trained on"
    )


def _whole_span(outcomes: Iterable[Outcome], options: ReportOptions) -> dict[int, HorizonScore]:
    """Score the whole span as a scoreboard scores its last dates."""
    listed = list(outcomes)
    room = max(1, len(listed))
    keeper = ScoreKeeper(options.interval, BoardSizes(room, room, room, room))
    keeper.add(listed)
    return {score.horizon: score for score in keeper.pooled_board(0).horizons}


def _boards(outcomes: Iterable[Outcome], options: ReportOptions) -> dict[str, Scoreboard]:
    keeper = ScoreKeeper(options.interval)
    keeper.add(outcomes)
    return {_ALL: keeper.pooled_board(0)} | {ticker: keeper.board(ticker, 0) for ticker in keeper.tickers}


def _horizon(
    table: Table,
    scores: list[ForecasterScore],
    whole: HorizonScore,
    bars: Mapping[str, BarColumns],
    options: ReportOptions,
) -> HorizonReport:
    return HorizonReport(
        horizon=table.horizon,
        outcomes=len(table),
        dates=len(np.unique(table.matured_ns)),
        scores=whole,
        forecasters=scores,
        confidence=confidence_of(table),
        intervals=interval_scores(table),
        stretches=stretches_of(table),
        ticker_years=ticker_years(table),
        trading=_trading(table, bars, options),
    )


def _trading(table: Table, bars: Mapping[str, BarColumns], options: ReportOptions) -> Trading:
    length_ns = interval_ns(options.interval)
    require_bars(table, bars, length_ns)
    portfolios = follow(table, bars, length_ns, TradeRules(options.cost_bps, options.long_only))
    ends_ns = portfolios[FORECASTS].ends_ns
    per_year = bars_per_year(ends_ns, options.interval)
    places = resamples_of(len(ends_ns), table.horizon, options.seed)
    told = {name: told_of(portfolio, per_year, places) for name, portfolio in portfolios.items()}
    return Trading(
        bars=len(ends_ns),
        bars_per_year=per_year,
        figures={name: each.figures() for name, each in told.items()},
        beside_buy_and_hold=told[FORECASTS].less(told[BUY_AND_HOLD]).figures(),
        equity=Equity(
            ends=[to_rfc3339(end_ns) for end_ns in ends_ns.tolist()],
            by_portfolio={name: each.equity.tolist() for name, each in portfolios.items()},
        ),
    )


def require_bars(table: Table, bars: Mapping[str, BarColumns], length_ns: int) -> None:
    """Check that every prediction's bar is there, and one after it.

    Raises:
        StopAndSayError: One is not.
    """
    for ticker in np.unique(table.tickers).tolist():
        starts_ns = table.as_of_ns[table.tickers == ticker] - length_ns
        there = bars[ticker].start_ns if ticker in bars else np.empty(0, np.int64)
        known = np.isin(starts_ns, there[:-1])
        if not known.all():
            raise StopAndSayError(
                f"bars of {ticker} are missing, as that of {to_rfc3339(int(starts_ns[~known][0]))}: the outcomes are "
                "of another log than the bars; name the topics of one system (TICKCAST_TOPIC_PREFIX)"
            )


def _sets(outcomes: Iterable[Outcome], manifests: Sequence[Manifest]) -> list[ReportSet]:
    known = {manifest.model_set: manifest for manifest in manifests}
    first: dict[str, int] = {}
    count: Counter[str] = Counter()
    for outcome in outcomes:
        if outcome.scored:
            first[outcome.model_set] = min(outcome.as_of_ns, first.get(outcome.model_set, outcome.as_of_ns))
            count[outcome.model_set] += 1
    return [
        _set(name, as_of_ns, count[name], known.get(name)) for name, as_of_ns in sorted(first.items(), key=_by_time)
    ]


def _by_time(item: tuple[str, int]) -> tuple[int, str]:
    return item[1], item[0]


def _set(name: str, as_of_ns: int, outcomes: int, manifest: Manifest | None) -> ReportSet:
    if manifest is None:
        return ReportSet(model_set=name, first_as_of=to_rfc3339(as_of_ns), outcomes=outcomes)
    return ReportSet(
        model_set=name,
        first_as_of=to_rfc3339(as_of_ns),
        outcomes=outcomes,
        train_end=to_rfc3339(manifest.train_end_ns),
        samples=manifest.samples,
        members=[member.name for member in manifest.members],
    )
