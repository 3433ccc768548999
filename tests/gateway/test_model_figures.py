"""What a scrape of the gateway says of the models."""

from msgspec import structs

from gateway.model_figures import ModelFigures
from gateway.parts import Parts
from tests.gateway.boards import EXAMPLE, board
from tests.gateway.samples import NOON_NS, make_parts, model_event
from tests.gateway.scraping import scraped

NS = 1_000_000_000


def watched() -> Parts:
    parts = make_parts()
    parts.instruments.show(ModelFigures(parts))
    return parts


def test_nothing_is_claimed_before_there_are_models_and_outcomes() -> None:
    said = scraped(watched())
    begun = ("hit_rate", "model", "member", "coverage", "drift")
    assert not {name for name in said if any(word in name for word in begun)}


def test_what_serves_is_named_with_its_challenger_and_its_age() -> None:
    parts = watched()
    parts.models.accept(model_event("set-1", NOON_NS - 90 * NS), 0)
    assert scraped(parts)["tickcast_loaded_model_sets"] == {("set-1", "serving"): 1.0}
    assert scraped(parts)["tickcast_model_age_seconds"] == {(): 90.0}
    parts.models.accept(model_event("set-1", NOON_NS - 10 * NS), 0)  # a retrain that was refused makes nothing younger
    assert scraped(parts)["tickcast_model_age_seconds"] == {(): 90.0}
    parts.models.accept(model_event("set-2", challenger="set-3"), 1)
    named = scraped(parts)["tickcast_loaded_model_sets"]
    assert named == {("set-2", "serving"): 1.0, ("set-3", "challenger"): 1.0}
    parts.models.accept(model_event("set-2", NOON_NS + 1, serving=None), 2)
    assert "tickcast_loaded_model_sets" not in scraped(parts)


def test_the_training_data_ages_by_the_markets_own_time() -> None:
    parts = watched()
    parts.models.accept(model_event(train_end_ns=NOON_NS - 500 * NS), 0)
    assert "tickcast_training_data_age_seconds" not in scraped(parts)
    parts.scores.accept(board("*", through_ns=NOON_NS - 100 * NS))
    assert scraped(parts)["tickcast_training_data_age_seconds"] == {(): 400.0}


def test_a_hit_rate_stands_beside_its_baseline_and_in_its_interval() -> None:
    parts = watched()
    score = EXAMPLE.horizons[0]
    known = structs.replace(score.ensemble, hit_rate=0.53, hit_rate_low=0.51, hit_rate_high=0.55)
    unknown = structs.replace(score.ensemble, hit_rate=None, hit_rate_low=None, hit_rate_high=None)
    parts.scores.accept(board("AAPL"))
    assert "tickcast_hit_rate_ratios" not in scraped(parts)
    parts.scores.accept(
        board(
            "*",
            horizons=[
                structs.replace(score, horizon=1, ensemble=known, usual_hit_rate=0.54, error_ratio=1.02),
                structs.replace(score, horizon=5, ensemble=unknown, usual_hit_rate=None, weights={"lstm": 0.25}),
            ],
        )
    )
    said = scraped(parts)
    assert said["tickcast_hit_rate_ratios"] == {("1", "ensemble"): 0.53, ("1", "usual"): 0.54}
    assert said["tickcast_hit_rate_bound_ratios"] == {("low", "1"): 0.51, ("high", "1"): 0.55}
    assert said["tickcast_error_ratios"][("1",)] == 1.02
    assert said["tickcast_member_weight_ratios"][("5", "lstm")] == 0.25


def test_coverage_and_drift_are_those_of_the_board_of_all() -> None:
    parts = watched()
    parts.scores.accept(board("AAPL", drift={"error": "alarm", "error_dates": "9", "retrain": "asked"}))
    assert "tickcast_drift_dates" not in scraped(parts)
    score = EXAMPLE.horizons[0]
    parts.scores.accept(
        board(
            "*",
            horizons=[
                structs.replace(score, horizon=1, settled_dates=300, coverage_95=0.9, coverage_99=0.97),
                structs.replace(score, horizon=21, coverage_95=None),
            ],
            drift={"error": "stable", "error_dates": "0", "loss": "alarm", "loss_dates": "3", "retrain": "asked"},
        )
    )
    said = scraped(parts)
    assert said["tickcast_interval_coverage_ratios"][("1", "95")] == 0.9
    assert said["tickcast_interval_coverage_ratios"][("1", "99")] == 0.97
    assert ("21", "95") not in said["tickcast_interval_coverage_ratios"]
    assert said["tickcast_settled_dates"][("1",)] == 300.0
    assert said["tickcast_drift_dates"] == {("error",): 0.0, ("loss",): 3.0}
    assert said["tickcast_asked_retrains"] == {(): 1.0}
