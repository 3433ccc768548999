"""What a saved model set says of itself: `manifest.json` in its folder."""

import hashlib
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field, structs

from predictor.parameters import Parameters
from schemas.events import Direction, HoldOutScore
from schemas.features import FEATURE_VERSION, MODEL_INPUT_NAMES, SEQUENCE_CHANNELS, SEQUENCE_STEPS
from schemas.times import NS_PER_SECOND, Interval


class Calibration(Struct, frozen=True, kw_only=True):
    """Logistic calibration of one member on one horizon, from its out-of-fold predictions.

    P(return above 0) = 1 / (1 + exp(-(intercept + slope * predicted return / spread))). The member's probability that
    the ensemble's direction is right is this where that is up, and 1 less this where it is down.
    """

    horizon: int
    intercept: float
    slope: float


class IntervalQuantiles(Struct, frozen=True, kw_only=True):
    """Half-widths of the ensemble's intervals on one horizon, in units of volatility times sqrt(horizon).

    The ceil((n + 1) * coverage)-th smallest of its n absolute out-of-fold errors, over all tickers.

    Attributes:
        quantile_90: Its lower end is what 95 of 100 returns stay above; null in sets made before it was kept.
    """

    horizon: int
    quantile_95: float
    quantile_99: float
    quantile_90: float | None = None


class TrainingOptions(Struct, frozen=True, kw_only=True):
    """What was asked of the training; bars count that end at or before `before_ns`."""

    source: str
    before_ns: int
    window_bars: int | None
    seed: int
    parameters: Parameters = field(default_factory=Parameters)


class ManifestMember(Struct, frozen=True, kw_only=True):
    """One model of the set.

    Attributes:
        version: Differs whenever its numbers may.
        file: In the set's folder.
        spread_scale: Per horizon, the root mean square of its out-of-fold errors in units of volatility times
            sqrt(horizon); the spread of a prediction is this times that unit.
        feature_importance: By what it reads: the rise of its mean squared error on the hold-out when that is shuffled,
            as a share of the error. About 0 or below: of no use there. Empty where it reads nothing.
    """

    name: str
    version: str
    file: str
    sha256: str
    prior_weight: float
    training_seconds: float
    hold_out: list[HoldOutScore]
    calibration: list[Calibration]
    spread_scale: list[float]
    feature_importance: dict[str, float] = {}


class Manifest(Struct, frozen=True, kw_only=True):
    """A model set: what it was fitted on, how good it was, what it fits.

    Attributes:
        train_start_ns: As-of time of the first sample.
        train_end_ns: End of the last bar that any label, scaler or calibration has seen.
        samples: Rows that the members were fitted on in the end, the hold-out's included.
        hold_out_start_ns: First as-of time of the hold-out; the members were then refitted on everything.
        hold_out_dates: Different as-of times in the hold-out; rows of one date share their shocks.
        interval_quantiles: Of the ensemble under the prior weights and the slopes.
        hold_out: The ensemble's scores, likewise; neither weights nor slopes nor any other number comes from there.
        baselines: Scores of `no_change` and `constant_direction` on the same rows.
        slopes: Per horizon, from 0 to 1: by how much the ensemble's forecast is multiplied, the out-of-fold slope of
            what happened on what was forecast; empty: 1.
        usual_directions: Per horizon, the more frequent direction before `train_end`; empty: not known.
        out_of_fold_start_ns: First as-of time of the folds, which lie before the hold-out: each is predicted by a fit
            on what lies before it, less purge and embargo. What is calibrated comes from there. 0 in older sets, where
            it came from the hold-out.
        out_of_fold_samples: Rows in the folds.
    """

    model_set: str
    interval: Interval
    horizons: list[int]
    train_start_ns: int
    train_end_ns: Annotated[int, Meta(ge=0, lt=2**62)]  # a time that can be written, whoever made the file
    hold_out_start_ns: int
    hold_out_dates: int
    created_at_ns: int
    tickers: list[str]
    samples: int
    members: list[ManifestMember]
    interval_quantiles: list[IntervalQuantiles]
    hold_out: list[HoldOutScore]
    baselines: dict[str, list[HoldOutScore]]
    library_versions: dict[str, str]
    options: TrainingOptions
    slopes: list[float] = []
    usual_directions: list[Direction] = []
    out_of_fold_start_ns: int = 0
    out_of_fold_samples: int = 0
    feature_version: str = FEATURE_VERSION
    model_inputs: list[str] = field(default_factory=lambda: list(MODEL_INPUT_NAMES))
    sequence_shape: list[int] = field(default_factory=lambda: [SEQUENCE_STEPS, len(SEQUENCE_CHANNELS)])


def named(manifest: Manifest) -> Manifest:
    """Give the manifest with its set's name, like `set-20100104-1f3a5b7c`: the date of `before`, a hash of the content.

    Times of the clock (creation, training seconds) are not content.
    """
    timeless = [structs.replace(member, training_seconds=0.0) for member in manifest.members]
    content = structs.replace(manifest, model_set="", created_at_ns=0, members=timeless)
    digest = hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()[:8]
    day = datetime.fromtimestamp(manifest.options.before_ns // NS_PER_SECOND, UTC).strftime("%Y%m%d")
    return structs.replace(manifest, model_set=f"set-{day}-{digest}")


def fits(manifest: Manifest, *, interval: str, horizons: tuple[int, ...], before_ns: int | None = None) -> str | None:
    """Say why a set cannot serve here, or None where it can.

    Args:
        before_ns: Start of the next bar to be predicted live; None leaves the time out.
    """
    checks = (
        ("interval", manifest.interval, interval),
        ("horizons", tuple(manifest.horizons), tuple(horizons)),
        ("feature version", manifest.feature_version, FEATURE_VERSION),
        ("model inputs", tuple(manifest.model_inputs), MODEL_INPUT_NAMES),
        ("sequence shape", tuple(manifest.sequence_shape), (SEQUENCE_STEPS, len(SEQUENCE_CHANNELS))),
    )
    for what, has, wanted in checks:
        if has != wanted:
            return f"its {what} is {has}, not {wanted}"
    if not all(0.0 <= slope <= 1.0 for slope in manifest.slopes) or len(manifest.slopes) not in {0, len(horizons)}:
        return f"its slopes are {manifest.slopes}, not a number from 0 to 1 for each horizon"
    if len(manifest.usual_directions) not in {0, len(horizons)}:
        return f"its usual directions are {list(manifest.usual_directions)}, not one for each horizon"
    if before_ns is not None and manifest.train_end_ns > before_ns:
        return "it was trained on bars that are still to be predicted"
    return None
