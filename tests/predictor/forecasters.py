"""Small real forecasters and sets made of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import structs

from predictor.artifacts import LoadedMember, ModelSet
from predictor.manifest import Calibration, IntervalQuantiles, Manifest, ManifestMember, TrainingOptions
from predictor.models.base import Batch, FloatArray, Forecast
from tests.predictor.feature_events import MONDAY_NS

HORIZONS = (1, 5, 21)


@dataclass
class Momentum:
    """Predicts `factor` times the first model input, with a spread of volatility times sqrt(h); counts its calls."""

    name: str
    factor: float
    version: str = "1"
    batch_sizes: list[int] = field(default_factory=list)

    def predict(self, batch: Batch) -> Forecast:
        self.batch_sizes.append(len(batch))
        unit = np.asarray(batch.volatility)[:, None] * np.sqrt(np.asarray(HORIZONS, float))
        return Forecast(log_returns=self.factor * np.asarray(batch.model_inputs[:, :1], float) * unit, spreads=unit)


class Raising(Momentum):
    """Fails always."""

    def predict(self, batch: Batch) -> Forecast:
        raise RuntimeError("the session is broken")


class FirstRowOnly(Momentum):
    """Answers one row, whatever it is asked."""

    def predict(self, batch: Batch) -> Forecast:
        forecast = super().predict(batch)
        return Forecast(log_returns=forecast.log_returns[:1], spreads=forecast.spreads[:1])


class NotFinite(Momentum):
    """Gives NaN where the first input is negative."""

    def predict(self, batch: Batch) -> Forecast:
        forecast = super().predict(batch)
        negative = np.asarray(batch.model_inputs[:, :1]) < 0
        broken: FloatArray = np.where(negative, np.nan, forecast.log_returns)
        return Forecast(log_returns=broken, spreads=forecast.spreads)


def a_set(
    members: Sequence[Momentum],
    weights: Sequence[float],
    *,
    name: str = "set-a",
    train_end_ns: int = MONDAY_NS,
    slope: float = 1.0,
    unloaded: Sequence[str] = (),
    quantiles: tuple[float, float] = (2.0, 3.0),
    **manifest_changes: Any,
) -> ModelSet:
    """Give a loaded set.

    Args:
        slope: Of the calibration of each member.
        unloaded: Names of members that its manifest has and that could not be loaded; each of prior weight 0.5.
        manifest_changes: More fields of the manifest.
    """
    calibration = [Calibration(horizon=horizon, intercept=0.0, slope=slope) for horizon in HORIZONS]
    priors = {member.name: weight for member, weight in zip(members, weights, strict=True)}
    manifest = Manifest(
        model_set=name,
        interval="1d",
        horizons=list(HORIZONS),
        train_start_ns=0,
        train_end_ns=train_end_ns,
        hold_out_start_ns=0,
        hold_out_dates=1,
        created_at_ns=0,
        tickers=["AAPL"],
        samples=1,
        members=[_entry(name, weight, calibration) for name, weight in priors.items()]
        + [_entry(name, 0.5, calibration) for name in unloaded],
        interval_quantiles=[
            IntervalQuantiles(horizon=horizon, quantile_95=quantiles[0], quantile_99=quantiles[1])
            for horizon in HORIZONS
        ],
        hold_out=[],
        baselines={},
        library_versions={},
        options=TrainingOptions(source="replay", before_ns=0, window_bars=None, seed=1),
    )
    manifest = structs.replace(manifest, **manifest_changes)
    loaded = tuple(
        LoadedMember(member, weight, tuple(calibration)) for member, weight in zip(members, weights, strict=True)
    )
    return ModelSet(manifest, Path("nowhere"), loaded, dict.fromkeys(unloaded, "its file is gone"))


def _entry(name: str, weight: float, calibration: list[Calibration]) -> ManifestMember:
    return ManifestMember(
        name=name,
        version="1",
        file=f"{name}.onnx",
        sha256="0" * 64,
        prior_weight=weight,
        training_seconds=1.0,
        hold_out=[],
        calibration=calibration,
        spread_scale=[1.0] * len(HORIZONS),
    )
