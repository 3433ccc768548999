"""What a report may claim, in words."""

from collections.abc import Iterable

from predictor.training.backtest.contents import HorizonReport
from predictor.training.backtest.errors import BASELINE, ForecasterScore

LEVEL = 0.05

SURVIVORS = (
    "The five tickers were chosen in hindsight: they are of companies that survived and did well, so returns look "
    "better than what anybody could have had"
)
CHOSEN = "The tickers were chosen by whoever made the file, perhaps in hindsight"
DIFFERENCES = "Only differences carry meaning: between a forecast and no change, between following it and holding"
LOOKS = (
    "How often the years 2010 to 2013, held out from all choices of this project, have been looked at is yours to say: "
    "whoever looks again and again, and keeps what looks best, has fitted to them"
)
NO_ADVICE = (
    "Not investment advice. Orders are taken to fill at the next bar's open, in full and at that price; borrowed "
    "shares cost nothing, cash earns nothing"
)


def caveats_for(source: str) -> list[str]:
    """Give what every report states."""
    return [SURVIVORS if source == "replay" else CHOSEN, DIFFERENCES, LOOKS, NO_ADVICE]


def verdict_of(horizons: Iterable[HorizonReport]) -> str:
    """Say plainly whether any forecaster beats no change: by its squared error, corrected for how many were tried."""
    tried = [
        (report.horizon, score)
        for report in horizons
        for score in report.forecasters
        if score.name != BASELINE and score.p_better_of_all is not None
    ]
    if not tried:
        return "There are too few dates to tell whether any model beats the forecast of no change."
    better = [(horizon, score) for horizon, score in tried if _below(score)]
    if not better:
        return f"No model beats the forecast of no change: of {len(tried)} comparisons none is significant at 5 %."
    named = "; ".join(
        f"{score.name} at {horizon} bar{'' if horizon == 1 else 's'} (error {score.error_ratio:.4f} of no change's, "
        f"p {score.p_better_of_all:.3f})"
        for horizon, score in better
    )
    return f"Better than the forecast of no change, at 5 % after correction for {len(tried)} comparisons: {named}."


def _below(score: ForecasterScore) -> bool:
    return score.p_better_of_all is not None and score.p_better_of_all < LEVEL
