"""Made-up bars, samples and manifests."""

import numpy as np

from ingestor.sources.bars import BarColumns
from predictor.manifest import Calibration, IntervalQuantiles, Manifest, ManifestMember, TrainingOptions
from predictor.models.base import Batch
from predictor.training.dataset import Dataset
from schemas.events import HoldOutScore
from schemas.features import MODEL_INPUT_NAMES, RETURNS_COUNT, SEQUENCE_CHANNELS, SEQUENCE_STEPS

DAY_NS = 86_400_000_000_000
HORIZONS = (1, 5, 21)


def random_walk(seed: int, count: int, first_day: int = 0) -> BarColumns:
    """Give daily bars whose prices wander."""
    random = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(random.normal(0, 0.02, count)))
    opening = close * np.exp(random.normal(0, 0.01, count))
    high = np.maximum(opening, close) * np.exp(np.abs(random.normal(0, 0.01, count)))
    low = np.minimum(opening, close) * np.exp(-np.abs(random.normal(0, 0.01, count)))
    start_ns = (first_day + np.arange(count, dtype=np.int64)) * DAY_NS
    return BarColumns(start_ns, opening, high, low, close, random.uniform(1e5, 1e6, count))


def random_batch(seed: int, count: int) -> Batch:
    """Give inputs of about the right size, none like another."""
    random = np.random.default_rng(seed)
    return Batch(
        model_inputs=random.normal(0, 1, (count, len(MODEL_INPUT_NAMES))).astype(np.float32),
        sequence=random.normal(0, 1, (count, SEQUENCE_STEPS, len(SEQUENCE_CHANNELS))).astype(np.float32),
        returns=random.normal(0, 0.02, (count, RETURNS_COUNT)),
        volatility=random.uniform(0.005, 0.05, count),
    )


def random_samples(seed: int, dates: int, tickers: int) -> Dataset:
    """Give samples without meaning, one a date and ticker."""
    random = np.random.default_rng(seed)
    count = dates * tickers
    as_of_ns = np.repeat(np.arange(1, dates + 1, dtype=np.int64), tickers) * DAY_NS
    return Dataset(
        HORIZONS,
        random_batch(seed, count),
        np.tile(np.array([f"T{number}" for number in range(tickers)]), dates),
        as_of_ns,
        as_of_ns + max(HORIZONS) * DAY_NS,
        random.normal(0.001, 0.02, (count, len(HORIZONS))),
    )


def hold_out_scores() -> list[HoldOutScore]:
    """Give a score for each horizon."""
    return [
        HoldOutScore(horizon=h, count=100, mean_absolute_error=0.01, root_mean_squared_error=0.02, hit_rate=0.5)
        for h in HORIZONS
    ]


def manifest(*, members: list[ManifestMember] | None = None, **changes: object) -> Manifest:
    """Give a manifest that fits the default settings; members have no files."""
    values: dict[str, object] = {
        "model_set": "set-20100104-00000000",
        "interval": "1d",
        "horizons": list(HORIZONS),
        "train_start_ns": 10 * DAY_NS,
        "train_end_ns": 1_000 * DAY_NS,
        "hold_out_start_ns": 900 * DAY_NS,
        "hold_out_dates": 80,
        "created_at_ns": 1,
        "tickers": ["AAPL"],
        "samples": 900,
        "members": members if members is not None else [member("forest"), member("lstm")],
        "interval_quantiles": [IntervalQuantiles(horizon=h, quantile_95=2.0, quantile_99=3.0) for h in HORIZONS],
        "hold_out": hold_out_scores(),
        "baselines": {"no_change": hold_out_scores(), "constant_direction": hold_out_scores()},
        "library_versions": {"numpy": "2"},
        "options": TrainingOptions(source="replay", before_ns=1_001 * DAY_NS, window_bars=None, seed=7),
    }
    return Manifest(**(values | changes))  # type: ignore[arg-type]


def member(name: str) -> ManifestMember:
    """Give a member whose file is not there."""
    return ManifestMember(
        name=name,
        version="1",
        file=f"{name}.onnx",
        sha256="0" * 64,
        prior_weight=0.5,
        training_seconds=1.0,
        hold_out=hold_out_scores(),
        calibration=[Calibration(horizon=h, intercept=0.0, slope=1.0) for h in HORIZONS],
        spread_scale=[1.0] * len(HORIZONS),
    )
